// From the log's messages to one set of keys a transaction, in bounded memory whatever its size:
//
//   keys of one table > maxKeysPerTable     the table's own key instead, which everything made from it has recorded;
//                                           its further rows are only counted
//   keys in all > maxKeys                   so for every table of the transaction
//   application keys > maxKeys              everything: the transaction begins a new epoch
//
// Only what committed gets here: the server leaves out what was rolled back, savepoints included.
import { withRowsThemselves } from '../../core/row-keys.ts';
import type { DependencyKey, EpochMs } from '../../core/units.ts';
import { changeKeys, type LoggedTable, type RowChange } from '../changes/change-keys.ts';
import type { LogMessage } from '../changes/change-keys-pgoutput.ts';
import { relationName, tableKey } from '../keys/keys.ts';
import type { Catalog } from '../schema/catalog.ts';
import type { Lsn } from './lsn.ts';

/** Prefixes of the messages that `pg_logical_emit_message` writes into the log for us. */
const APPLICATION_KEYS = 'coherent';
const DEFINITIONS_CHANGED = 'coherent.ddl';
const DROPPED = Buffer.from('dropped');

/** The bus takes no longer ones, so no entry can have been made under them. */
const MAX_KEY_LENGTH = 16_384;

export interface CommittedTransaction {
  /** The low 32 bits, as the log has them; undefined for what is no transaction, and always visible. */
  readonly xid: number | undefined;
  /** Acknowledging this position says that the transaction has been dealt with. */
  readonly endLsn: Lsn;
  /** Microseconds since 2000-01-01 by the database's clock. */
  readonly commitMicros: bigint;
  readonly keys: ReadonlySet<DependencyKey>;
  readonly rows: number;
  /** Tables that were purged whole because naming their rows would have taken too many keys. */
  readonly collapsed: number;
  /** As the log tells it. */
  readonly definitionsChanged: boolean;
  /** Among them something went that leaves no trace: an index, say, that nothing in the catalog speaks of any more. */
  readonly definitionsDropped: boolean;
  /** Definitions changed, or a table came up that the catalog does not know: the catalog must be loaded anew. */
  readonly needsCatalog: boolean;
  /** Those tables: what they are told as is not known yet. */
  readonly unfamiliar: readonly LoggedTable[];
  /** So many application keys that only a new epoch tells of them all. */
  readonly everything: boolean;
}

export interface CollectorLimits {
  readonly maxKeysPerTable: number;
  readonly maxKeys: number;
}

const COLLECTOR_LIMITS: CollectorLimits = { maxKeysPerTable: 5_000, maxKeys: 20_000 };

/** 2000-01-01 in milliseconds since 1970. */
const POSTGRES_EPOCH_MS = 946_684_800_000;

/** By the database's clock; undefined for what is no transaction. */
export function committedMs({ xid, commitMicros }: CommittedTransaction): EpochMs | undefined {
  return xid === undefined ? undefined : Number(commitMicros) / 1000 + POSTGRES_EPOCH_MS;
}

interface TableKeys {
  keys: Set<DependencyKey>;
  collapsed: boolean;
}

export class Collector {
  readonly #limits: CollectorLimits;
  #catalog: Catalog;
  /** Tables that this catalog does not know though it was loaded after they came up. */
  readonly #strangers = new Set<string>();
  readonly #seen = new Set<string>();
  #open: OpenTransaction | undefined;
  refusedMessages = 0;

  constructor(catalog: Catalog, limits: CollectorLimits = COLLECTOR_LIMITS) {
    this.#catalog = catalog;
    this.#limits = limits;
  }

  /** Between a transaction's begin and its commit. */
  get collecting(): boolean {
    return this.#open !== undefined;
  }

  /** The catalog snapshot for the transactions from here on. */
  useCatalog(catalog: Catalog): void {
    this.#catalog = catalog;
    this.#strangers.clear();
    for (const name of this.#seen) this.#strangers.add(name);
    this.#seen.clear();
  }

  /** Hands back a transaction when the message was its commit. */
  take(message: LogMessage): CommittedTransaction | undefined {
    switch (message.tag) {
      case 'begin':
        this.#open = new OpenTransaction(message.xid, message.commitMicros, this.#limits);
        return undefined;
      case 'change':
        if (this.#open !== undefined) this.#change(this.#open, message.change);
        return undefined;
      case 'message':
        if (this.#open !== undefined && message.transactional) this.#message(this.#open, message);
        return undefined;
      case 'commit': {
        const done = this.#open?.commit(message.endLsn);
        this.#open = undefined;
        return done;
      }
      default:
        return undefined;
    }
  }

  #change(open: OpenTransaction, change: RowChange): void {
    open.rows++;
    if (change.kind === 'truncate') {
      const keys = new Set<DependencyKey>();
      if (!changeKeys(change, this.#catalog, keys)) this.#unfamiliar(open, change.tables);
      open.addWhole(keys);
      return;
    }
    const held = open.of(change.table);
    if (held.collapsed) return;
    const before = held.keys.size;
    if (!changeKeys(change, this.#catalog, held.keys)) this.#unfamiliar(open, [change.table]);
    open.count += held.keys.size - before;
    if (held.keys.size > this.#limits.maxKeysPerTable) open.collapse(change.table, this.#catalog);
    if (open.count > this.#limits.maxKeys) open.collapseAll(this.#catalog);
  }

  #unfamiliar(open: OpenTransaction, tables: readonly LoggedTable[]): void {
    for (const table of tables) {
      if (this.#catalog.relation(table.schema, table.name) !== undefined) continue;
      const path = relationName(table.schema, table.name);
      if (this.#strangers.has(path)) continue;
      this.#seen.add(path);
      open.unfamiliar.add(table);
    }
  }

  #message(open: OpenTransaction, { prefix, content }: Extract<LogMessage, { tag: 'message' }>): void {
    if (prefix === DEFINITIONS_CHANGED) {
      open.definitionsChanged = true;
      open.definitionsDropped ||= content.equals(DROPPED);
    } else if (prefix === APPLICATION_KEYS) {
      const keys = readKeys(content);
      if (keys === undefined) this.refusedMessages++;
      else open.addApplicationKeys(keys);
    }
  }
}

class OpenTransaction {
  readonly #tables = new Map<LoggedTable, TableKeys>();
  readonly #whole = new Set<DependencyKey>();
  readonly #application = new Set<DependencyKey>();
  readonly #xid: number;
  readonly #commitMicros: bigint;
  readonly #limits: CollectorLimits;
  #everything = false;
  definitionsChanged = false;
  definitionsDropped = false;
  readonly unfamiliar = new Set<LoggedTable>();
  rows = 0;
  count = 0;

  constructor(xid: number, commitMicros: bigint, limits: CollectorLimits) {
    this.#xid = xid;
    this.#commitMicros = commitMicros;
    this.#limits = limits;
  }

  of(table: LoggedTable): TableKeys {
    let held = this.#tables.get(table);
    if (held === undefined) {
      held = { keys: new Set(), collapsed: false };
      this.#tables.set(table, held);
    }
    return held;
  }

  addWhole(keys: Iterable<DependencyKey>): void {
    for (const key of keys) this.#whole.add(key);
  }

  addApplicationKeys(keys: readonly DependencyKey[]): void {
    for (const key of keys) this.#application.add(key);
    if (this.#application.size <= this.#limits.maxKeys) return;
    this.#application.clear();
    this.#everything = true;
  }

  /** A table's change shows in those it is told as: its partitioned root, the tables it inherits from. */
  collapse(table: LoggedTable, catalog: Catalog): void {
    const held = this.of(table);
    if (held.collapsed) return;
    const told = catalog.relation(table.schema, table.name)?.toldAs.map(({ keyName }) => keyName);
    this.count -= held.keys.size;
    held.keys = new Set((told ?? [relationName(table.schema, table.name)]).map(tableKey));
    held.collapsed = true;
    this.count += held.keys.size;
  }

  collapseAll(catalog: Catalog): void {
    for (const table of this.#tables.keys()) this.collapse(table, catalog);
  }

  commit(endLsn: Lsn): CommittedTransaction {
    const keys = new Set([...this.#whole, ...withRowsThemselves([...this.#application])]);
    let collapsed = 0;
    for (const held of this.#tables.values()) {
      if (held.collapsed) collapsed++;
      for (const key of held.keys) keys.add(key);
    }
    return {
      xid: this.#xid,
      endLsn,
      commitMicros: this.#commitMicros,
      keys,
      rows: this.rows,
      collapsed,
      definitionsChanged: this.definitionsChanged,
      definitionsDropped: this.definitionsDropped,
      needsCatalog: this.definitionsChanged || this.unfamiliar.size > 0,
      unfamiliar: [...this.unfamiliar],
      everything: this.#everything,
    };
  }
}

/** Undefined for what `coherent.purge` cannot have written: anybody may emit messages under our prefix. */
function readKeys(content: Buffer): readonly DependencyKey[] | undefined {
  try {
    const keys: unknown = JSON.parse(content.toString('utf8'));
    if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) return undefined;
    return keys.filter((key) => key.length <= MAX_KEY_LENGTH);
  } catch {
    return undefined;
  }
}
