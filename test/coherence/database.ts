// The Postgres of the fleet, and for a while another one, made of a copy of its disk.
//
// Pages are read and rows written by one address, which a proxy can lead elsewhere; feeds have lines of their own (host.ts).
// So the pool can move while feeds stay. Writers move along: what is on the server that pages are read from is what
// counts, and both servers hold the same rows at each move, the one back included.
import { execFile } from 'node:child_process';
import { chownSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { silent } from '../support/silent.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { Admin } from './admin.ts';

/** A clone differs from the original by nothing but its start; a promoted copy has a timeline of its own. */
export type CopyKind = 'clone' | 'promoted';

export class FleetDatabase {
  /** Of the original. */
  readonly admin: Admin;
  /** How pages and writers reach it. */
  readonly line: TcpProxy;
  readonly #folder: string;
  #original: EmbeddedPostgres;
  #copies = 0;
  #changes: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, original: EmbeddedPostgres, line: TcpProxy) {
    this.#folder = folder;
    this.#original = original;
    this.line = line;
    this.admin = new Admin(original.url);
  }

  static async start(folder: string): Promise<FleetDatabase> {
    const original = await startServer(folder);
    return new FleetDatabase(folder, original, await TcpProxy.to({ port: original.port }));
  }

  get port(): number {
    return this.#original.port;
  }

  /** Of pages and writers. */
  get url(): string {
    return withPort(this.#original.url, this.line.port);
  }

  /** One after the other: two faults that come at once may both be the end of this server, or change its tables. */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#changes.then(work);
    this.#changes = mine.catch(() => {});
    return await mine;
  }

  async restart(): Promise<void> {
    const { port } = this.#original;
    await this.#original.close();
    this.#original = await startServer(this.#folder, { port: String(port) });
  }

  /** A server of the same rows, as long as nobody writes. */
  async copy(kind: CopyKind): Promise<EmbeddedPostgres> {
    const home = this.#original.folder;
    const dataDir = join(this.#folder, `copy-${++this.#copies}`);
    const data = join(dataDir, 'postgres/data');
    mkdirSync(dataDir);
    await this.admin.query("select pg_backup_start('copy', true)");
    await copied(home, join(dataDir, 'postgres'));
    const [stopped] = await this.admin.query<{ label: string }>(
      'select labelfile as label from pg_backup_stop(false)',
    );
    rmSync(join(data, 'pg_wal'), { recursive: true });
    await copied(join(home, 'data/pg_wal'), join(data, 'pg_wal'));
    rmSync(join(data, 'postmaster.pid'), { force: true });
    const files = {
      backup_label: stopped?.label ?? '',
      ...(kind === 'promoted' && { 'standby.signal': '' }),
    };
    const { uid, gid } = statSync(join(data, 'PG_VERSION'));
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(data, name), text);
      chownSync(join(data, name), uid, gid);
    }
    // The original's own may be set by a fault.
    const server = await startServer(dataDir, { synchronous_standby_names: '' });
    if (kind === 'promoted') await asAdmin(server, (admin) => admin.query('select pg_promote()'));
    // The original's log is the longer one: whoever has read it seems to have read all of the copy's.
    for (let times = 0; times < 2; times++) {
      await this.admin.query("select pg_logical_emit_message(true, 'check', '')");
      await this.admin.query('select pg_switch_wal()');
    }
    return server;
  }

  /** The rows of the copy come to the original, and the copy ends. Nobody writes meanwhile. */
  async takeRowsOf(copy: EmbeddedPostgres): Promise<void> {
    const rows = await asAdmin(copy, async (admin) => ({
      items: await admin.query('select id, group_id, version from items'),
      groups: await admin.query('select id, version from groups'),
    }));
    const statements = Object.entries(rows).map(
      ([table, all]) =>
        `delete from ${table}; insert into ${table} select * from json_populate_recordset(null::${table}, '${JSON.stringify(all)}')`,
    );
    await this.admin.query(statements.join(';'));
  }

  async discard(copy: EmbeddedPostgres): Promise<void> {
    await copy.close();
    rmSync(join(copy.folder, '..'), { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await this.admin.close();
    await this.line.close();
    await this.#original.close();
    rmSync(this.#original.folder, { recursive: true, force: true });
  }
}

export function withPort(url: string, port: number): string {
  const address = new URL(url);
  address.hostname = '127.0.0.1';
  address.port = String(port);
  return address.href;
}

/** With owners and rights. What goes away meanwhile is not missed: the log has it. */
async function copied(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', from, to]).catch(() => {});
}

async function asAdmin<T>({ url }: EmbeddedPostgres, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin(url);
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}

function startServer(
  dataDir: string,
  { port, ...settings }: Readonly<Record<string, string>> = {},
): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({
    dataDir,
    logger: silent,
    settings: {
      fsync: 'off',
      max_connections: '200',
      max_prepared_transactions: '20',
      // Few segments: a slot that is behind can be lost.
      max_slot_wal_keep_size: '48MB',
      min_wal_size: '32MB',
      max_wal_size: '64MB',
      ...settings,
    },
    ...(port !== undefined && { port: Number(port) }),
  });
}
