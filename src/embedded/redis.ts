// A private Redis for a host that has none configured: a server program found on the PATH, on a unix socket, with its
// data in a folder of ours, gone when its owner closes it or dies.
//
// A shell stands between: it holds the end of a pipe whose other end is the owner's. The pipe ends when the owner
// closes it and also when the owner is killed, and then the shell stops the server. The two are a process group of
// their own, so that Ctrl-C in the terminal reaches the owner alone, who still needs Redis while it drains. A Redis that
// cannot save (full disk, folder gone) refuses to stop; after five seconds it is killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { Milliseconds } from '../core/units.ts';
import { RedisStartError } from './errors.ts';

export interface PrivateRedisOptions {
  readonly program: string;
  /** Its socket and data; made when missing. The path of a unix socket holds at most about 100 bytes. */
  readonly folder: string;
  readonly maxMemoryMb: number;
  readonly clock: Clock;
  readonly startTimeoutMs?: Milliseconds;
}

const GUARD = `
"$@" 3<&- &
server=$!
{
  cat <&3 >/dev/null
  kill "$server" 2>/dev/null
  tries=0
  while [ $tries -lt 50 ] && kill -0 "$server" 2>/dev/null; do sleep 0.1; tries=$((tries + 1)); done
  kill -9 "$server" 2>/dev/null
} &
wait "$server"
`;

/** Runs a program that ends when this process does, however that happens, or when the pipe of number 3 is destroyed. */
export function spawnGuarded(command: readonly string[]): ChildProcess {
  return spawn('/bin/sh', ['-c', GUARD, 'guard', ...command], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
}

export class PrivateRedis {
  readonly url: string;
  readonly #shell: ChildProcess;
  /** Resolves when the server has ended, closed or not. */
  readonly exited: Promise<unknown>;

  private constructor(url: string, shell: ChildProcess) {
    this.url = url;
    this.#shell = shell;
    this.exited = new Promise((resolve) => {
      shell.once('exit', resolve);
      shell.once('error', resolve);
    });
  }

  /** Resolves when it answers. Errors: `E_REDIS_START`. */
  static async start(options: PrivateRedisOptions): Promise<PrivateRedis> {
    const { program, folder, maxMemoryMb, clock, startTimeoutMs = 10_000 } = options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const socket = join(folder, 'redis.sock');
    if (Buffer.byteLength(socket) > 100)
      throw new RedisStartError(program, `${socket} is too long a path for a socket`);
    if (await pings(socket))
      throw new RedisStartError(program, `another server answers on ${socket} already`);
    const command = [program, ...serverArguments(folder, socket, maxMemoryMb)];
    const shell = spawnGuarded(command);
    const redis = new PrivateRedis(`unix://${encodeURI(socket)}`, shell);
    try {
      await redis.#answers(socket, program, clock, startTimeoutMs);
    } catch (error) {
      await redis.close();
      throw error;
    }
    return redis;
  }

  /** Redis saves what it holds and ends; resolves when it has. */
  async close(): Promise<void> {
    const guard = this.#shell.stdio[3];
    if (guard !== null && guard !== undefined) guard.destroy();
    await this.exited;
  }

  async #answers(socket: string, program: string, clock: Clock, timeoutMs: Milliseconds): Promise<void> {
    const said: string[] = [];
    for (const stream of [this.#shell.stdout, this.#shell.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said.push(text);
        if (said.length > 50) said.shift();
      });
    }
    let ended = false;
    void this.exited.then(() => {
      ended = true;
    });
    const untilMs = clock.monotonic() + timeoutMs;
    while (!(await pings(socket))) {
      if (ended) throw new RedisStartError(program, said.join('').trim().slice(-500) || 'it ended at once');
      if (clock.monotonic() > untilMs) throw new RedisStartError(program, `no answer within ${timeoutMs} ms`);
      await new Promise<void>((resolve) => {
        // Keeps the process alive, unlike the clock's timers: the primary waits for this start.
        setTimeout(resolve, 10);
      });
    }
  }
}

/** What can be lost is a cache and the purge clock: saved at the end and now and then, evicting when full. */
function serverArguments(folder: string, socket: string, maxMemoryMb: number): string[] {
  return [
    ['--port', '0'],
    ['--unixsocket', socket],
    ['--unixsocketperm', '700'],
    ['--dir', folder],
    ['--save', '60 1'],
    ['--appendonly', 'no'],
    ['--maxmemory', `${maxMemoryMb}mb`],
    // Only what has a time to live may go: the purge clock and the log of purges must not.
    ['--maxmemory-policy', 'volatile-lru'],
    ['--daemonize', 'no'],
  ].flat();
}

/** Speaks three words of the protocol itself: this room needs no client for one PING. */
function pings(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(socket);
    const end = (well: boolean) => {
      connection.destroy();
      resolve(well);
    };
    connection.setTimeout(1000, () => end(false));
    connection.once('error', () => end(false));
    connection.once('connect', () => connection.write('PING\r\n'));
    connection.once('data', (data) => end(data.toString().startsWith('+PONG')));
  });
}
