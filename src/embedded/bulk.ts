// Many rows in few statements.
import type { SqlValue } from '../data/db.ts';
import { quote } from '../data/read/tables.ts';

/** Rows per statement: large enough to make the round trip free, small enough to build while the last one runs. */
const BATCH_ROWS = 2000;

type Execute = (sql: string, params: readonly SqlValue[]) => Promise<unknown>;

/**
 * Inserts `rows`, a batch at a time: each travels as one JSON text, which Postgres reads with the table's own
 * types. While one batch is inserted the next is made. Calls `onBatch` with the number of rows of each.
 */
export async function insertMany(
  execute: Execute,
  table: string,
  columns: readonly string[],
  rows: Iterable<readonly SqlValue[]>,
  onBatch: (rows: number) => void,
): Promise<void> {
  const target = table.split('.').map(quote).join('.');
  const list = columns.map(quote).join(', ');
  const sql = `INSERT INTO ${target} (${list}) SELECT ${list} FROM json_populate_recordset(null::${target}, $1)`;
  let running: Promise<unknown> = Promise.resolve();
  for (const batch of batches(rows)) {
    const json = JSON.stringify(batch.map((row) => toObject(columns, row)));
    await running;
    running = execute(sql, [json]).then(() => onBatch(batch.length));
    // Seen at the next `await`; until then it must not count as unhandled.
    running.catch(() => {});
  }
  await running;
}

function* batches(rows: Iterable<readonly SqlValue[]>): Generator<(readonly SqlValue[])[]> {
  let batch: (readonly SqlValue[])[] = [];
  for (const row of rows) {
    batch.push(row);
    if (batch.length < BATCH_ROWS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function toObject(columns: readonly string[], row: readonly SqlValue[]): Record<string, unknown> {
  return Object.fromEntries(columns.map((column, index) => [column, toJson(row[index])]));
}

/** What JSON has no word for, in the words of Postgres. Dates become ISO texts by themselves. */
function toJson(value: SqlValue): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return value.map(toJson);
  return value;
}
