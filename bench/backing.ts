// Postgres and Redis for servers that are measured: real ones, started for one benchmark and gone with it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/embedded/postgres.ts';
import { Pgbouncer } from '../test/support/pgbouncer.ts';
import { RunningRedis } from '../test/support/running-redis.ts';
import { silent } from './silent.ts';

export class Backing implements AsyncDisposable {
  /** Its own, and gone with it. */
  readonly folder: string;
  /** Of the database of the server that is there at its start. */
  readonly url: string;
  readonly redis: RunningRedis;
  readonly #closing: (() => unknown)[];

  private constructor(folder: string, url: string, redis: RunningRedis, closing: (() => unknown)[]) {
    this.folder = folder;
    this.url = url;
    this.redis = redis;
    this.#closing = closing;
  }

  static async start(): Promise<Backing> {
    const folder = mkdtempSync(path.join(tmpdir(), 'coherent-backing-'));
    const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
    try {
      const postgres = await startEmbeddedPostgres({ dataDir: path.join(folder, 'db'), logger: silent });
      closing.push(
        () => rmSync(postgres.folder, { recursive: true, force: true }),
        () => postgres.close(),
      );
      const redis = await RunningRedis.start(folder, 'redis');
      closing.push(() => redis.close());
      return new Backing(folder, postgres.url, redis, closing);
    } catch (error) {
      for (const close of closing.reverse()) await close();
      throw error;
    }
  }

  get redisUrl(): string {
    return `unix://${encodeURI(this.redis.socket)}`;
  }

  /** Another database of the server, made by this SQL: its URL. */
  async database(name: string, schema: string): Promise<string> {
    await query(this.url, `CREATE DATABASE ${name}`);
    const url = new URL(this.url);
    url.pathname = `/${name}`;
    await query(url.href, schema);
    return url.href;
  }

  /** pgbouncer in transaction mode before a database: its URL. */
  async pooler(url: string, poolSize: number): Promise<string> {
    const pooler = await Pgbouncer.start(url, { mode: 'transaction', poolSize });
    this.#closing.push(() => pooler.close());
    return pooler.url;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closing.reverse()) await close();
  }
}

/** One text of SQL over a connection of its own. */
export async function query(url: string, sql: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query(sql);
    return rows ?? [];
  } finally {
    await client.end();
  }
}

/**
 * Resolves when the feed of a server follows so many tables. One that has just been published counts once all transactions of
 * before have ended. Errors: not within 30 s.
 */
export function followed(url: string, tables: number): Promise<void> {
  const all = `SELECT 1 FROM pg_publication_tables WHERE pubname = 'coherent_tracked'`;
  return until('the tables are followed', async () => (await query(url, all)).length >= tables);
}

/** Looks ten times a second. Errors: not so within 30 s. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Not so within 30 s: ${what}.`);
}
