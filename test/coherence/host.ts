// One host: the built server as a process with workers and a feed below it, its own disk, and its own ways to Redis
// and Postgres, which can be disturbed.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pause } from '../support/pause.ts';
import { childrenOf, signal } from '../support/processes.ts';
import { freePort } from '../support/redis.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { withPort } from './database.ts';

export interface HostOptions {
  readonly name: string;
  /** Holds package/ (the build), site/ (the application) and the data of the hosts. */
  readonly folder: string;
  /** Undefined: the host works alone. */
  readonly redisSocket: string | undefined;
  /** Where pages are read from. */
  readonly pages: string;
  /** The server itself, on this machine, for the feed. */
  readonly feedPort: number;
  readonly boundMs: number;
}

const WORKERS = 2;
const START_WITHIN_MS = 90_000;

export class Host {
  readonly name: string;
  readonly port: number;
  /** The lines of the pool, and of the feed's question where the log of that database ends. */
  readonly postgres: TcpProxy;
  /** The other lines of the feed. */
  readonly feedLine: TcpProxy;
  readonly #redis: TcpProxy | undefined;
  readonly #opsPort: number;
  readonly #options: HostOptions;
  #primary: ChildProcess | undefined;
  readonly #output: string[] = [];

  private constructor(
    options: HostOptions,
    ports: readonly [number, number],
    redis: TcpProxy | undefined,
    [postgres, feedLine]: readonly [TcpProxy, TcpProxy],
  ) {
    this.name = options.name;
    this.#options = options;
    [this.port, this.#opsPort] = ports;
    this.#redis = redis;
    this.postgres = postgres;
    this.feedLine = feedLine;
  }

  static async start(options: HostOptions): Promise<Host> {
    const { redisSocket: path } = options;
    const redis = path === undefined ? undefined : await TcpProxy.to({ path });
    const postgres = await TcpProxy.to({ port: Number(new URL(options.pages).port) });
    const feedLine = await TcpProxy.to({ port: options.feedPort });
    const box = new Host(options, [await freePort(), await freePort()], redis, [postgres, feedLine]);
    await box.start();
    return box;
  }

  /** Resolves when all its workers serve. */
  async start(): Promise<void> {
    const deadline = performance.now() + START_WITHIN_MS;
    for (;;) {
      const child = this.#spawn();
      if (await this.#isReady(child, deadline)) return;
      // Workers of a primary that was killed may still hold the port.
      if (performance.now() > deadline)
        throw new Error(`Box ${this.name} did not start:\n${this.#output.slice(-30).join('\n')}`);
      await pause(200);
    }
  }

  async ready(): Promise<void> {
    const deadline = performance.now() + START_WITHIN_MS;
    if (this.#primary === undefined || !(await this.#isReady(this.#primary, deadline)))
      throw new Error(`Box ${this.name} did not recover:\n${this.#output.slice(-30).join('\n')}`);
  }

  get redis(): TcpProxy {
    if (this.#redis === undefined) throw new Error(`Box ${this.name} has no Redis`);
    return this.#redis;
  }

  /** Its wall clock is wrong by so much, in all of its processes. */
  setClock(offByMs: number): void {
    writeFileSync(this.#clockFile, String(offByMs));
  }

  get #clockFile(): string {
    return join(this.#options.folder, `clock-${this.name}`);
  }

  get primaryPid(): number {
    return this.#primary?.pid ?? 0;
  }

  workerPids(): number[] {
    return this.#children('render');
  }

  feedPids(): number[] {
    return this.#children('feed.js');
  }

  async killPrimary(): Promise<void> {
    const child = this.#primary;
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  output(): string {
    return this.#output.join('\n');
  }

  async close(): Promise<void> {
    const child = this.#primary;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const below = childrenOf(child.pid ?? 0);
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 15_000);
      await gone;
      clearTimeout(late);
      for (const { pid } of below) signal(pid, 'SIGKILL');
    }
    await this.#redis?.close();
    await this.postgres.close();
    await this.feedLine.close();
  }

  #children(what: string): number[] {
    return childrenOf(this.primaryPid)
      .filter(({ command }) => (what === 'render') === !command.includes('feed.js'))
      .map(({ pid }) => pid);
  }

  #spawn(): ChildProcess {
    const { folder, name, boundMs, pages } = this.#options;
    const child = spawn(process.execPath, [join(folder, 'package/dist/server.js')], {
      cwd: folder,
      env: {
        PATH: process.env.PATH ?? '',
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        PORT: String(this.port),
        OPS_PORT: String(this.#opsPort),
        WORKERS: String(WORKERS),
        DATA_DIR: join(folder, `box-${name}`),
        APP: join(folder, 'site'),
        DATABASE_URL: withPort(pages, this.postgres.port),
        FEED_DATABASE_URL: withPort(pages, this.feedLine.port),
        ...(this.#redis !== undefined && { REDIS_URL: `redis://127.0.0.1:${this.#redis.port}` }),
        NODE_OPTIONS: `--import=${pathToFileURL(join(folder, 'shifted-clock.mjs')).href}`,
        CLOCK_FILE: this.#clockFile,
        FEED: 'on',
        COHERENCE_BOUND_MS: String(boundMs),
        DB_POOL_MAX: '6',
        // On a machine that is shared with other work a start takes its time.
        BOOT_TIMEOUT_MS: '80000',
        SHUTDOWN_DELAY_MS: '0',
        LOG_LEVEL: 'warn',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#primary = child;
    // Nothing outlives the check, however it ends.
    const killed = () => child.kill('SIGKILL');
    process.once('exit', killed);
    child.once('exit', () => process.off('exit', killed));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output.push(text.trimEnd());
        if (this.#output.length > 2000) this.#output.splice(0, 1000);
      });
    }
    return child;
  }

  /** False when it has ended, or is not ready by then. */
  async #isReady(child: ChildProcess, deadline: number): Promise<boolean> {
    while (performance.now() < deadline) {
      if (child.exitCode !== null || child.signalCode !== null) return false;
      try {
        const answer = await fetch(`http://127.0.0.1:${this.#opsPort}/readyz`);
        const status = (await answer.json()) as { phase?: string; serving?: number };
        if (status.phase === 'running' && (status.serving ?? 0) >= WORKERS) return true;
      } catch {
        // Not yet.
      }
      await pause(50);
    }
    return false;
  }
}
