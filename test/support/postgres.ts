// Databases for tests, on the real server that global-setup-postgres.ts started for the run.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** Runs SQL as the superuser, beside whatever is being tested. Several statements may stand in one text without params. */
  query<R extends object = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<R[]>;
  /** Drops the database with everything in it, replication slots included, and ends whoever is still connected. */
  close(): Promise<void>;
}

/** The URL of the run's server: its `postgres` database, as superuser. */
function postgresUrl(): string {
  return inject('postgresUrl');
}

/**
 * A fresh, empty database. Give it back with `close()` in afterAll.
 * @example
 * const database = await testDatabase('create table users (id int primary key)');
 */
export async function testDatabase(schema?: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin((admin) => admin.query(`create database ${name} template template0`));
  const url = new URL(postgresUrl());
  url.pathname = `/${name}`;
  const client = new pg.Client({ connectionString: url.href, application_name: 'test' });
  client.on('error', () => {}); // a test may end every connection, this one too
  await client.connect();
  if (schema !== undefined) await client.query(schema);
  return {
    url: url.href,
    name,
    query: async <R extends object>(sql: string, params?: readonly unknown[]) => {
      const result = await client.query<R>(sql, params === undefined ? undefined : [...params]);
      return result.rows;
    },
    close: async () => {
      await client.end().catch(() => {});
      await asAdmin(async (admin) => {
        await admin.query(
          'select pg_terminate_backend(active_pid) from pg_replication_slots where database = $1',
          [name],
        );
        await dropSlots(admin, name);
        await admin.query(`drop database if exists ${name} with (force)`);
      });
    },
  };
}

/** A slot goes only once its reader is gone, which takes the server a moment after it was told to. */
async function dropSlots(admin: pg.Client, name: string): Promise<void> {
  for (;;) {
    await admin.query(
      'select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = $1 and not active',
      [name],
    );
    const left = await admin.query('select 1 from pg_replication_slots where database = $1', [name]);
    if (left.rowCount === 0) return;
  }
}

async function asAdmin<T>(work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: postgresUrl(), application_name: 'test-admin' });
  admin.on('error', () => {});
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}
