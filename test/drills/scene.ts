// A host with everything it stands on, all of it real processes that end with the drill: a Postgres, a Redis, a way to
// each that can be disturbed, and the built server.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { systemClock } from '../../src/core/clock.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { PrivateRedis } from '../../src/embedded/redis.ts';
import { layOut } from '../support/lay-out.ts';
import { pause } from '../support/pause.ts';
import { childrenOf, signal } from '../support/processes.ts';
import { freePort, redisPid, redisProgram } from '../support/redis.ts';
import { silent } from '../support/silent.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { SCHEMA } from './history.ts';

const WITHIN_MS = 40_000;

export const WORKERS = 2;
export const BOUND_MS = 2000;

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

export class Scene {
  readonly folder: string;
  readonly redis: TcpProxy;
  readonly postgres: TcpProxy;
  readonly port: number;
  readonly #opsPort: number;
  #database: EmbeddedPostgres;
  #redisServer: PrivateRedis;
  #child: ChildProcess | undefined;
  #exit: Promise<Exit> = Promise.resolve({ code: null, signal: null });
  #env: Readonly<Record<string, string>> = {};
  readonly #output: string[] = [];

  private constructor(parts: {
    readonly folder: string;
    readonly database: EmbeddedPostgres;
    readonly redisServer: PrivateRedis;
    readonly proxies: readonly [TcpProxy, TcpProxy];
    readonly ports: readonly [number, number];
  }) {
    this.folder = parts.folder;
    this.#database = parts.database;
    this.#redisServer = parts.redisServer;
    [this.redis, this.postgres] = parts.proxies;
    [this.port, this.#opsPort] = parts.ports;
  }

  /** `build` is a folder with the built server in `package/`. No server runs yet. */
  static async prepare(build: string): Promise<Scene> {
    const folder = mkdtempSync(join(tmpdir(), 'crs-drill-'));
    chmodSync(folder, 0o755); // as root, Postgres runs as another user, who has to get in
    layOut(folder, build, 'test/drills/app');
    const database = await startPostgres(folder);
    const redisServer = await startRedis(folder);
    const redis = await TcpProxy.to({ path: join(folder, 'redis/redis.sock') });
    const postgres = await TcpProxy.to({ port: database.port });
    const ports = [await freePort(), await freePort()] as const;
    const scene = new Scene({ folder, database, redisServer, proxies: [redis, postgres], ports });
    await scene.sql(SCHEMA);
    return scene;
  }

  /** The database itself, past the proxy. */
  get databaseUrl(): string {
    return this.#database.url;
  }

  get databasePid(): number {
    return this.#database.pid;
  }

  get output(): string {
    return this.#output.join('\n');
  }

  get exited(): Promise<Exit> {
    return this.#exit;
  }

  /** Starts the server; resolves when every worker serves. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    this.launch(env);
    await this.whole();
  }

  /** Starts the server and waits for nothing. */
  launch(env: Readonly<Record<string, string>> = {}): void {
    this.#env = env;
    const child = spawn(process.execPath, [join(this.folder, 'package/dist/server.js')], {
      cwd: this.folder,
      env: { ...this.#environment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const killed = () => child.kill('SIGKILL');
    process.once('exit', killed);
    this.#exit = new Promise((resolve) => {
      child.once('exit', (code, name) => {
        process.off('exit', killed);
        resolve({ code, signal: name });
      });
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output.push(text.trimEnd());
        if (this.#output.length > 1000) this.#output.splice(0, 500);
      });
    }
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start(this.#env);
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  get primaryPid(): number {
    return this.#child?.pid ?? 0;
  }

  feedPids(): number[] {
    return this.#family('feed');
  }

  workerPids(): number[] {
    return this.#family('render');
  }

  /** Every worker serves, and none of them is one of `not`. */
  async whole(not: readonly number[] = []): Promise<void> {
    await this.until(async () => {
      const { phase, serving, pids } = await this.readiness();
      return phase === 'running' && serving >= WORKERS && !pids.some((pid) => not.includes(pid));
    }, 'every worker serves');
  }

  async readiness(): Promise<{ status: number; phase: string; serving: number; pids: number[] }> {
    try {
      const answer = await this.#ops('GET', '/readyz');
      const body = (await answer.json()) as { phase: string; serving: number; workers: { pid?: number }[] };
      const pids = body.workers.map(({ pid }) => pid ?? 0);
      return { status: answer.status, phase: body.phase, serving: body.serving, pids };
    } catch {
      return { status: 0, phase: 'none', serving: 0, pids: [] };
    }
  }

  ask(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`, { headers: { connection: 'close' } });
  }

  async until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const deadline = performance.now() + WITHIN_MS;
    while (!(await condition())) {
      if (performance.now() > deadline)
        throw new Error(`Never happened: ${what}\n${this.output.slice(-4000)}`);
      await pause(20);
    }
  }

  /** As superuser, past the proxy. */
  async sql(text: string): Promise<pg.QueryResult> {
    const client = new pg.Client({ connectionString: this.databaseUrl, application_name: 'drill' });
    client.on('error', () => {});
    await client.connect();
    try {
      return await client.query(text);
    } finally {
      await client.end().catch(() => {});
    }
  }

  async restartPostgres(how: 'in order' | 'killed', meanwhile: () => Promise<void>): Promise<void> {
    const { port, pid } = this.#database;
    if (how === 'killed') {
      for (const child of childrenOf(pid)) signal(child.pid, 'SIGKILL');
      signal(pid, 'SIGKILL');
    }
    await this.#database.close();
    await meanwhile();
    this.#database = await startPostgres(this.folder, port);
  }

  async restartRedis(how: 'killed' | 'emptied', meanwhile: () => Promise<void>): Promise<void> {
    const admin = new Redis({ path: join(this.folder, 'redis/redis.sock') });
    admin.on('error', () => {});
    signal(await redisPid(admin), 'SIGKILL');
    admin.disconnect();
    await this.#redisServer.close();
    if (how === 'emptied') rmSync(join(this.folder, 'redis/dump.rdb'), { force: true });
    await meanwhile();
    this.#redisServer = await startRedis(this.folder);
  }

  async stop(): Promise<Exit> {
    const child = this.#child;
    if (child === undefined) return { code: null, signal: null };
    const below = childrenOf(child.pid ?? 0);
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
    const exit = await this.#exit;
    clearTimeout(late);
    for (const { pid } of below) signal(pid, 'SIGKILL');
    return exit;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.redis.close();
    await this.postgres.close();
    await this.#redisServer.close();
    await this.#database.close();
    rmSync(this.#database.folder, { recursive: true, force: true });
    rmSync(this.folder, { recursive: true, force: true });
  }

  #family(what: string): number[] {
    return childrenOf(this.#child?.pid ?? 0)
      .filter(
        ({ command }) =>
          command.includes(`workers/${what}`) || (what === 'render' && !command.includes('workers/')),
      )
      .map(({ pid }) => pid);
  }

  #ops(method: string, path: string): Promise<Response> {
    const signal = AbortSignal.timeout(2000);
    return fetch(`http://127.0.0.1:${this.#opsPort}${path}`, {
      method,
      signal,
      headers: { connection: 'close' },
    });
  }

  #environment(): Record<string, string> {
    const database = new URL(this.#database.url);
    database.hostname = '127.0.0.1';
    database.port = String(this.postgres.port);
    return {
      PATH: process.env.PATH ?? '',
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(this.port),
      OPS_PORT: String(this.#opsPort),
      WORKERS: String(WORKERS),
      DATA_DIR: join(this.folder, 'data'),
      APP: join(this.folder, 'site'),
      DATABASE_URL: database.href,
      REDIS_URL: `redis://127.0.0.1:${this.redis.port}`,
      FEED: 'on',
      COHERENCE_BOUND_MS: String(BOUND_MS),
      DB_POOL_MAX: '6',
      SHUTDOWN_DELAY_MS: '0',
      LOG_LEVEL: 'info',
    };
  }
}

function startPostgres(folder: string, port?: number): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({
    dataDir: folder,
    logger: silent,
    // What is killed here are processes; the machine, whose end alone fsync is against, goes on.
    settings: { max_connections: '60', fsync: 'off' },
    ...(port !== undefined && { port }),
  });
}

function startRedis(folder: string): Promise<PrivateRedis> {
  return PrivateRedis.start({
    program: redisProgram(),
    folder: join(folder, 'redis'),
    maxMemoryMb: 128,
    clock: systemClock,
  });
}
