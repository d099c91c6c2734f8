// Debian's pgbouncer between a test and its database. It ends with the test.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needProgram, PGBOUNCER } from './programs.ts';
import { freePort, until } from './redis.ts';

export interface PgbouncerOptions {
  readonly mode: 'transaction' | 'session' | 'statement';
  /** Connections to the server; clients share them. Default 3. */
  readonly poolSize?: number;
}

export class Pgbouncer {
  readonly url: string;
  readonly port: number;
  readonly #folder: string;
  readonly #file: string;
  #process: ChildProcess | undefined;

  private constructor(url: string, port: number, folder: string, file: string) {
    this.url = url;
    this.port = port;
    this.#folder = folder;
    this.#file = file;
  }

  /** `url`: of the database, with user and password. Clients connect by this object's `url`. */
  static async start(url: string, { mode, poolSize = 3 }: PgbouncerOptions): Promise<Pgbouncer> {
    const folder = mkdtempSync(join(tmpdir(), 'crs-pgbouncer-'));
    const file = join(folder, 'pgbouncer.ini');
    const port = await freePort();
    const to = new URL(url);
    const server = `host=${to.hostname} port=${to.port} user=${to.username} password=${decodeURIComponent(to.password)}`;
    writeFileSync(
      file,
      `[databases]
* = ${server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = ${poolSize}
max_client_conn = 1000
`,
    );
    // It refuses to run as root, and reads its file as whoever it runs as.
    chmodSync(folder, 0o755);
    to.port = String(port);
    const pooler = new Pgbouncer(to.href, port, folder, file);
    await pooler.start();
    return pooler;
  }

  async start(): Promise<void> {
    const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const child = spawn(needProgram(PGBOUNCER), ['-q', this.#file], { stdio: 'ignore', ...nobody });
    this.#process = child;
    await until(() => child.exitCode !== null || listens(this.port));
    if (child.exitCode !== null) throw new Error(`pgbouncer ended with ${child.exitCode}: see ${this.#file}`);
  }

  /** At once, with whatever runs over it, as a new version or a node that goes away. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async restart(signal?: NodeJS.Signals): Promise<void> {
    await this.stop(signal);
    await this.start();
  }

  async close(): Promise<void> {
    await this.stop('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
