// Makes the database that an application expects: its schema.sql, then the rows of its seed.js, then its
// indexes.sql (what is dear to keep up to date row by row). Once.
//
// One transaction does all of it and remembers it in `coherent.setup`, so a kill at any moment leaves either
// nothing or everything. Two servers that start at once queue up at an advisory lock; the second finds it done.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Milliseconds } from '../core/units.ts';
import { Database } from '../data/read/database.ts';
import { quote } from '../data/read/tables.ts';
import type { Seed, SeedContext } from '../data/seed.ts';
import type { Transaction } from '../data/transaction.ts';
import { insertMany } from './bulk.ts';
import { PrepareFailedError } from './errors.ts';
import type { Progress } from './progress.ts';

export interface PrepareOptions {
  readonly databaseUrl: string;
  /** The application's folder: schema.sql and seed.js are looked for in it; either may be absent. */
  readonly appFolder: string;
  /** In the place of seed.js in it. */
  readonly seedFile?: string | undefined;
  readonly progress: Progress;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Named in the advice when the schema has changed. */
  readonly dataFolder: string;
}

export interface Prepared {
  /** `done`: made now. `kept`: it was there. `none`: the application has nothing to prepare. */
  readonly state: 'done' | 'kept' | 'none';
  readonly notes: readonly string[];
}

interface Setup {
  readonly schema_hash: string;
  readonly prepared_at: Date;
}

const SCHEMA = 'schema.sql';
const INDEXES = 'indexes.sql';
/** Any number will do, as long as it is always the same one. */
const LOCK = 0x636f_6865;
/** Filling a database may take its time. */
const NO_HURRY_MS: Milliseconds = 3_600_000;

/** Errors: E_PREPARE_FAILED, and E_DATABASE_DOWN. */
export async function prepare(options: PrepareOptions): Promise<Prepared> {
  const schema = readIfThere(join(options.appFolder, SCHEMA));
  const indexes = readIfThere(join(options.appFolder, INDEXES));
  const seed = options.seedFile ?? join(options.appFolder, 'seed.js');
  const seedFile = existsSync(seed) ? seed : undefined;
  if (schema === undefined && seedFile === undefined && indexes === undefined)
    return { state: 'none', notes: [] };
  const schemaHash = createHash('sha256')
    .update(schema ?? '')
    .update(indexes ?? '')
    .digest('hex')
    .slice(0, 32);

  const database = new Database({
    connectionString: options.databaseUrl,
    logger: options.logger,
    clock: options.clock,
    max: 1,
    statementTimeoutMs: NO_HURRY_MS,
    slowQueryMs: NO_HURRY_MS,
    applicationName: 'coherent-prepare',
  });
  try {
    const seeded = new Set<string>();
    const earlier = await database.transaction(async (transaction) => {
      const found = await findSetup(transaction);
      if (found !== null) return found;
      const others = await tablesThere(transaction);
      await apply(transaction, schema, join(options.appFolder, SCHEMA));
      if (seedFile !== undefined) await plant(transaction, seedFile, options.progress, seeded, others);
      await apply(transaction, indexes, join(options.appFolder, INDEXES));
      await transaction.query('INSERT INTO coherent.setup (schema_hash, application) VALUES ($1, $2)', [
        schemaHash,
        options.appFolder,
      ]);
      return null;
    });
    if (earlier !== null) return { state: 'kept', notes: changes(earlier, schemaHash, options) };
    // Fresh statistics, and pages marked visible so that counting can use an index alone.
    if (seeded.size > 0) await database.command(`VACUUM (ANALYZE) ${[...seeded].map(quoteTable).join(', ')}`);
    return { state: 'done', notes: [] };
  } finally {
    await database.close();
  }
}

function readIfThere(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function quoteTable(name: string): string {
  return name.split('.').map(quote).join('.');
}

/** What was done before; null: nothing, and this transaction holds the lock to do it. */
async function findSetup(transaction: Transaction): Promise<Setup | null> {
  await transaction.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
  await transaction.query('CREATE SCHEMA IF NOT EXISTS coherent');
  await transaction.query(
    `CREATE TABLE IF NOT EXISTS coherent.setup (
       only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
       schema_hash text NOT NULL, application text NOT NULL, prepared_at timestamptz NOT NULL DEFAULT now())`,
  );
  return transaction.one<Setup>('SELECT schema_hash, prepared_at FROM coherent.setup');
}

/** `public.users`: tables that this application has not made. */
async function tablesThere(transaction: Transaction): Promise<ReadonlySet<string>> {
  const rows = await transaction.query<{ name: string }>(
    `SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  return new Set(rows.map(({ name }) => name));
}

async function apply(transaction: Transaction, sql: string | undefined, file: string): Promise<void> {
  if (sql === undefined) return;
  try {
    await transaction.execute(sql);
  } catch (cause) {
    throw new PrepareFailedError(`${file} failed, nothing was kept: ${reasonOf(cause)}`, { cause });
  }
}

async function plant(
  transaction: Transaction,
  file: string,
  progress: Progress,
  seeded: Set<string>,
  others: ReadonlySet<string>,
): Promise<void> {
  const context: SeedContext = {
    insert: async (table, columns, rows, total) => {
      if (others.has(table.includes('.') ? table : `public.${table}`))
        throw new Error(`the table ${table} was there before, so its rows are not the sample's`);
      seeded.add(table);
      const step = progress.step(table, total);
      await insertMany(
        (sql, params) => transaction.execute(sql, params),
        table,
        columns,
        rows,
        (count) => step.advance(count),
      );
      step.done();
    },
    query: (sql, params) => transaction.query(sql, params),
  };
  try {
    const loaded = (await import(pathToFileURL(file).href)) as { default?: Seed };
    if (typeof loaded.default !== 'function') throw new Error('it has no default export that is a function');
    await loaded.default(context);
  } catch (cause) {
    throw new PrepareFailedError(`${file} failed, nothing was kept: ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function changes(earlier: Setup, schemaHash: string, { appFolder, dataFolder }: PrepareOptions): string[] {
  if (earlier.schema_hash === schemaHash) return [];
  const day = earlier.prepared_at.toISOString().slice(0, 10);
  return [
    `${join(appFolder, SCHEMA)} or ${INDEXES} is not the one that the database was made from on ${day}. Nothing was changed. ` +
      `Either remove ${dataFolder} and start again (its rows are lost), or set DATA_DIR to another folder, or bring the ` +
      `tables up to date yourself and then run: update coherent.setup set schema_hash = '${schemaHash}'`,
  ];
}
