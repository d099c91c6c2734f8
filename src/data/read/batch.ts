// Many byId calls of one tick become one statement, whichever renders they come from: each fragment of a page
// reads in a session of its own, and twenty cards that ask for their rows at once are still one statement.
//
// What a call depends on goes to its own key recorder: the observer is told of the statement that the call stands for, so that
// there is one place that knows what a read depends on. A call whose render aborts is told at once; the statement is
// stopped only when every render that waits for it has aborted.
import type { KeyRecorder } from '../../core/validity.ts';
import type { Row, SqlValue } from '../db.ts';
import { QueryAbortedError } from '../errors.ts';
import type { StatementObserver } from '../observer.ts';
import { AbortWatch } from '../pool/abort.ts';
import { keyedRead, readByKey, type TellRow, tellingRows } from './keyed-read.ts';
import { keyColumn, type Tables } from './tables.ts';

type WatchedRead = (sql: string, params: readonly SqlValue[], watch: AbortWatch) => Promise<readonly Row[]>;

type Id = string | number | bigint;

/** The render that a call comes from. */
interface Caller {
  readonly keyRecorder: KeyRecorder;
  readonly watch: AbortWatch;
}

interface Call extends Caller {
  readonly id: Id;
  readonly resolve: (row: Row | null) => void;
  readonly reject: (error: unknown) => void;
}

interface Batch {
  readonly table: string;
  readonly columns: readonly string[] | undefined;
  readonly calls: Call[];
}

export class Batches {
  readonly #tables: Tables;
  readonly #read: WatchedRead;
  readonly #observer: StatementObserver | undefined;
  readonly #open = new Map<string, Batch>();

  constructor(tables: Tables, read: WatchedRead, observer: StatementObserver | undefined) {
    this.#tables = tables;
    this.#read = read;
    this.#observer = observer;
  }

  load(table: string, id: Id, columns: readonly string[] | undefined, caller: Caller): Promise<Row | null> {
    return new Promise((resolve, reject) => {
      const name = columns === undefined ? table : `${table}\0${columns.join('\0')}`;
      let batch = this.#open.get(name);
      if (batch === undefined) {
        batch = { table, columns, calls: [] };
        this.#open.set(name, batch);
        this.#schedule(name, batch);
      }
      batch.calls.push({ id, resolve, reject, keyRecorder: caller.keyRecorder, watch: caller.watch });
    });
  }

  /** After every promise that is already settled has run its course: their calls belong to the same tick. */
  #schedule(name: string, batch: Batch): void {
    void Promise.resolve().then(() =>
      process.nextTick(() => {
        this.#open.delete(name);
        this.#run(batch).catch((error: unknown) => {
          for (const call of batch.calls) call.reject(error);
        });
      }),
    );
  }

  async #run({ table: name, columns, calls }: Batch): Promise<void> {
    const { watch, close } = everyAborted(calls, `byId('${name}')`);
    let tell: TellRow | undefined;
    try {
      const table = this.#tables.known(name, columns) ?? (await this.#tables.find(name, columns));
      const key = keyColumn(table, 'byId');
      const keyed = keyedRead(table, key, columns);
      tell = tellingRows(this.#observer, keyed);
      const rows = await readByKey(
        keyed,
        calls.map(({ id }) => id),
        (sql, params) => this.#read(sql, params, watch),
      );
      for (const [index, { id, keyRecorder, resolve }] of calls.entries()) {
        const row = rows[index] ?? null;
        const told = tell(id, row, keyRecorder);
        if (told !== undefined) await told;
        resolve(row);
      }
    } catch (error) {
      // What they would have read, for a page that makes something of the failure.
      if (!watch.signal.aborted)
        for (const { id, keyRecorder } of calls) await quietly(tell?.(id, null, keyRecorder));
      throw error;
    } finally {
      close();
    }
  }
}

async function quietly(telling: void | Promise<void>): Promise<void> {
  try {
    await telling;
  } catch {
    // The read's own failure is the one to tell of.
  }
}

/** A watch that aborts with the last of the callers. Each of them is refused when its own signal aborts. */
function everyAborted(calls: readonly Call[], what: string): { watch: AbortWatch; close: () => void } {
  const [only, ...more] = calls;
  if (only !== undefined && more.length === 0) return alone(only, what);
  const last = new AbortController();
  const left = new Set(calls.map((call) => call.watch));
  const unwatch = [...left].map((watch) => {
    const aborted = (reason: unknown) => {
      for (const call of calls) if (call.watch === watch) call.reject(new QueryAbortedError(what, reason));
      left.delete(watch);
      if (left.size === 0) last.abort(reason);
    };
    if (watch.signal.aborted) aborted(watch.signal.reason);
    return watch.watch(aborted);
  });
  const close = () => {
    for (const each of unwatch) each();
  };
  return { watch: AbortWatch.of(last.signal), close };
}

/** Most are: the statement stops by the caller's own signal. */
function alone({ watch, reject }: Call, what: string): { watch: AbortWatch; close: () => void } {
  const aborted = (reason: unknown) => reject(new QueryAbortedError(what, reason));
  if (watch.signal.aborted) aborted(watch.signal.reason);
  return { watch, close: watch.watch(aborted) };
}
