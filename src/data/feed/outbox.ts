// Purges that receivers outside must still be told of, kept in the database: what is in here outlives every process of
// every host, and the next leader goes on with it.
//
//   added      committed before the log's position is acknowledged, so that no purge falls between the two
//   batch      taken to be told: the rows of a batch never change, so that it keeps its name however often it is tried
//   gone       when the target has confirmed it
//
// A target that is down for long would fill the disk. Beyond `maxWaitingKeys` all that waits for it becomes one row that
// says "everything", with the number of keys it stands for.
import type { DependencyKey } from '../../core/units.ts';
import type { Transaction } from '../transaction.ts';

export interface Told {
  readonly target: string;
  /** Undefined: everything. */
  readonly keys: readonly DependencyKey[] | undefined;
}

export interface OutboxBatch {
  /** The same at each attempt, also of another process. */
  readonly id: string;
  /** Undefined: everything. */
  readonly keys: readonly DependencyKey[] | undefined;
  /** How many keys "everything" stands for. */
  readonly dropped: number;
}

export interface OutboxOptions {
  readonly database: { transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> };
  /** Fleets on one database have outboxes of their own. */
  readonly fleet: string;
  readonly newId: () => string;
  readonly maxWaitingKeys?: number;
}

const MAX_WAITING_KEYS = 100_000;
const KEYS_A_ROW = 100;
const ROWS_A_BATCH = 10;

const ADD = `
WITH pending AS (
  SELECT coalesce(sum(size), 0) AS total, coalesce(bool_or(keys IS NULL), false) AS everything
  FROM coherent.outbox WHERE fleet = $1 AND target = $2 AND batch IS NULL
), added AS (
  INSERT INTO coherent.outbox (fleet, target, keys, size)
  SELECT $1, $2, part.value, json_array_length(part.value::json)
  FROM json_array_elements_text($3::json) WITH ORDINALITY AS part(value, at), pending
  WHERE NOT everything AND total + $4 <= $5 ORDER BY part.at
)
SELECT everything, total + $4 <= $5 AS fits FROM pending`;

const COLLAPSE = `
WITH gone AS (
  DELETE FROM coherent.outbox WHERE fleet = $1 AND target = $2 AND batch IS NULL RETURNING size, dropped
)
INSERT INTO coherent.outbox (fleet, target, keys, size, dropped)
SELECT $1, $2, NULL, 0, coalesce(sum(size + dropped), 0) + $3 FROM gone RETURNING dropped::int AS dropped`;

const OPEN = `
SELECT id, batch, keys, dropped::int AS dropped FROM coherent.outbox
WHERE fleet = $1 AND target = $2 AND batch IS NOT NULL ORDER BY id`;

const TAKE = `
UPDATE coherent.outbox SET batch = $3 WHERE id IN (
  SELECT id FROM coherent.outbox WHERE fleet = $1 AND target = $2 AND batch IS NULL ORDER BY id LIMIT ${ROWS_A_BATCH})
RETURNING id, batch, keys, dropped::int AS dropped`;

interface Row {
  readonly id: number;
  readonly batch: string;
  readonly keys: string | null;
  readonly dropped: number;
}

export class Outbox {
  readonly #options: OutboxOptions;
  #collapsed = 0;
  #dropped = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Times that what waited became "everything", and the keys that this stands for. */
  stats(): { readonly collapsed: number; readonly dropped: number } {
    return { collapsed: this.#collapsed, dropped: this.#dropped };
  }

  /** Resolves when it is committed. True: more waited for a target than is kept, and "everything" stands for it now. */
  async add(all: readonly Told[]): Promise<boolean> {
    if (all.length === 0) return false;
    const { database, fleet, maxWaitingKeys = MAX_WAITING_KEYS } = this.#options;
    const dropped = await database.transaction(async (transaction) => {
      let dropped: number | undefined;
      for (const { target, keys } of all) {
        if (keys === undefined) {
          await transaction.query(COLLAPSE, [fleet, target, 0]);
          continue;
        }
        const parts = JSON.stringify(inRows(keys).map((part) => JSON.stringify(part)));
        const params = [fleet, target, parts, keys.length, maxWaitingKeys];
        const state = await transaction.one<{ everything: boolean; fits: boolean }>(ADD, params);
        // What comes behind an "everything" that was not told yet is in it.
        if (state?.everything === true || state?.fits === true) continue;
        const row = await transaction.one<{ dropped: number }>(COLLAPSE, [fleet, target, keys.length]);
        dropped = (dropped ?? 0) + (row?.dropped ?? 0);
      }
      return dropped;
    });
    if (dropped === undefined) return false;
    this.#collapsed++;
    this.#dropped += dropped;
    return true;
  }

  /** What a target is to be told next: the batch that was begun before, if there is one. */
  async next(target: string): Promise<OutboxBatch | undefined> {
    const { database, fleet, newId } = this.#options;
    const rows = await database.transaction(async (transaction) => {
      const open = await transaction.query<Row>(OPEN, [fleet, target]);
      return open.length > 0 ? open : transaction.query<Row>(TAKE, [fleet, target, newId()]);
    });
    const [first] = rows;
    if (first === undefined) return undefined;
    const ordered = rows.filter(({ batch }) => batch === first.batch).sort((a, b) => a.id - b.id);
    const dropped = ordered.reduce((sum, row) => sum + row.dropped, 0);
    if (ordered.some(({ keys }) => keys === null)) return { id: first.batch, keys: undefined, dropped };
    const keys = new Set(ordered.flatMap(({ keys }): DependencyKey[] => JSON.parse(keys ?? '[]')));
    return { id: first.batch, keys: [...keys], dropped };
  }

  async done(target: string, batch: string): Promise<void> {
    await this.#options.database.transaction((transaction) =>
      transaction.execute('DELETE FROM coherent.outbox WHERE fleet = $1 AND target = $2 AND batch = $3', [
        this.#options.fleet,
        target,
        batch,
      ]),
    );
  }

  /** Lets go of what waits for targets that there are no more. Resolves to how many rows that were. */
  keepOnly(targets: readonly string[]): Promise<number> {
    return this.#options.database.transaction((transaction) =>
      transaction.execute('DELETE FROM coherent.outbox WHERE fleet = $1 AND target <> ALL ($2::text[])', [
        this.#options.fleet,
        targets,
      ]),
    );
  }
}

function inRows(keys: readonly DependencyKey[]): DependencyKey[][] {
  const rows: DependencyKey[][] = [];
  for (let at = 0; at < keys.length; at += KEYS_A_ROW) rows.push(keys.slice(at, at + KEYS_A_ROW));
  return rows;
}
