// A real Postgres of our own, for machines where none has been set up.
//
// Life of it: folder opened (postgres-folder.ts) -> a server left behind is stopped, a foreign one refused
// -> initdb into a partial folder, renamed when complete -> spawned on a free port -> ready -> close().
// What holds:
//  - the server never outlives the process that started it: a guard process waits on a pipe that the kernel
//    closes when we die, however we die, and then stops the server
//  - it runs in a session of its own, so Ctrl+C in a terminal reaches us first and pages can be finished
//  - it listens on 127.0.0.1 only, on a port the system gave, with a random password
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { Logger } from '../core/log.ts';
import type { Milliseconds } from '../core/units.ts';
import {
  EmbeddedPostgresFailedError,
  EmbeddedPostgresInUseError,
  EmbeddedPostgresVersionError,
} from './errors.ts';
import type { Account } from './postgres-account.ts';
import { type Binaries, findBinaries } from './postgres-binaries.ts';
import { openFolder, ownerIsAlive, runningServer, writeOwner } from './postgres-folder.ts';

export interface EmbeddedPostgresOptions {
  /** The data goes to `postgres` in here, and is kept between runs. */
  readonly dataDir: string;
  readonly logger: Logger;
  /** Settings of the server beyond, or instead of, ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The port to listen on; a free one unless given. */
  readonly port?: number;
  /** The server stopped without being closed. */
  readonly onExit?: () => void;
}

export interface EmbeddedPostgres {
  /** With the password in it: never log it whole. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** '18.4' */
  readonly version: string;
  readonly notes: readonly string[];
  /** Where the data really is. */
  readonly folder: string;
  /** Finishes running transactions' rollback, writes everything to disk and ends. */
  close(): Promise<void>;
}

/** What a small machine can spare, with the change log on. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  wal_level: 'logical',
  // A forgotten replication slot keeps the log for ever; this bounds the disk it may take.
  max_slot_wal_keep_size: '1GB',
  max_wal_size: '512MB',
  max_connections: '100',
  shared_buffers: '128MB',
  // Servers notice clients that are gone while a statement runs.
  client_connection_check_interval: '1s',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** First SIGINT (rolls back what runs, and stops), then what is rougher: all within what the primary waits for us. */
const STOP_SERIES: readonly (readonly [NodeJS.Signals, Milliseconds])[] = [
  ['SIGINT', 6000],
  ['SIGQUIT', 1500],
  ['SIGKILL', 1500],
];
/** How long a server whose owner died may take to go. Its guard has already told it to. */
const ORPHAN_WAIT_MS = 10_000;
const PORT_ATTEMPTS = 5;

/**
 * Starts the server and resolves when it accepts connections.
 * Errors: E_EMBEDDED_POSTGRES_MISSING, _IN_USE, _VERSION, _FAILED.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const notes: string[] = [];
  const note = (text: string) => notes.push(text);
  const { home, account } = openFolder(options.dataDir, note);
  const binaries = findBinaries(account, note);
  const data = join(home, 'data');
  await takeOver(home, data);
  if (existsSync(data)) checkVersion(data, binaries);
  else await initialise(home, data, binaries, account, options.settings?.fsync !== 'off');
  writeOwner(home);

  const password = readFileSync(join(home, 'password'), 'utf8').trim();
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const started = await launch(binaries, data, port, account, options);
    if (typeof started !== 'string') {
      const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
      return { ...started, url, port, version: binaries.version, notes, folder: home };
    }
    // Between asking for a free port and using it another process may have taken it.
    const taken = started.includes('Address already in use') || started.includes('could not bind');
    if (taken && options.port === undefined && attempt < PORT_ATTEMPTS) continue;
    const running = runningServer(data);
    if (running !== undefined) throw new EmbeddedPostgresInUseError(home, running);
    throw new EmbeddedPostgresFailedError(`The embedded Postgres in ${home} did not start:\n${started}`);
  }
}

/** Waits for (then stops) a server whose owner died; refuses one that is in use. */
async function takeOver(home: string, data: string): Promise<void> {
  const pid = runningServer(data);
  if (pid === undefined) return;
  if (ownerIsAlive(home)) throw new EmbeddedPostgresInUseError(home, pid);
  signal(pid, 'SIGINT');
  const deadline = performance.now() + ORPHAN_WAIT_MS;
  while (runningServer(data) !== undefined) {
    if (performance.now() > deadline) throw new EmbeddedPostgresInUseError(home, pid);
    await new Promise((done) => setTimeout(done, 50));
  }
}

function checkVersion(data: string, binaries: Binaries): void {
  const found = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  if (found !== binaries.major) throw new EmbeddedPostgresVersionError(data, found, binaries.major);
}

/** Makes the data folder; another start at the same time, or a kill half-way, leaves nothing half-made. */
async function initialise(
  home: string,
  data: string,
  binaries: Binaries,
  account: Account | undefined,
  sync: boolean,
): Promise<void> {
  const partial = mkdtempSync(join(home, 'partial-'));
  const passwordFile = join(home, 'password');
  try {
    if (!existsSync(passwordFile)) {
      writeFileSync(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
    }
    if (account !== undefined) {
      for (const path of [partial, passwordFile]) chownSync(path, account.uid, account.gid);
    }
    const flags = [
      `--pgdata=${partial}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // Built into the server: texts sort the same on every machine, whatever locales it has.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
      // The password is 192 random bits: stretching it would only make each connection slower.
      '--set=scram_iterations=1',
      ...(sync ? [] : ['--no-sync']),
    ];
    const child = spawn(binaries.initdb, flags, {
      ...surroundings(account, home),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const words = lastWords(child, undefined);
    const code = await exitOf(child);
    if (code !== 0) throw new EmbeddedPostgresFailedError(`initdb failed in ${home}:\n${words()}`);
    if (!existsSync(data)) renameSync(partial, data);
  } catch (error) {
    if (error instanceof EmbeddedPostgresFailedError) throw error;
    throw new EmbeddedPostgresFailedError(
      `The embedded Postgres could not be set up in ${home}: ${String(error)}`,
      { cause: error },
    );
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/** The running server, or what it said before it ended. */
async function launch(
  binaries: Binaries,
  data: string,
  port: number,
  account: Account | undefined,
  options: EmbeddedPostgresOptions,
): Promise<Pick<EmbeddedPostgres, 'pid' | 'close'> | string> {
  const settings = { ...SETTINGS, ...options.settings, port: String(port) };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(binaries.postgres, ['-D', data, ...flags], {
    ...surroundings(account, dirname(data)),
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  const words = lastWords(child, options.logger);
  const exited = exitOf(child);
  const { pid } = child;
  if (pid === undefined) {
    await exited;
    return words();
  }
  const guard = guardOver(pid, account);
  const ready = await Promise.race([readiness(child), exited.then(() => false)]);
  if (!ready) {
    guard.kill('SIGKILL');
    return words();
  }
  let closing: Promise<void> | undefined;
  void exited.then(() => {
    guard.kill('SIGKILL');
    if (closing === undefined) options.onExit?.();
  });
  return { pid, close: () => (closing ??= stop(binaries, data, pid, exited)) };
}

async function stop(binaries: Binaries, data: string, pid: number, exited: Promise<unknown>): Promise<void> {
  if (process.platform === 'win32') {
    // There are no signals to send; pg_ctl speaks to the server in its own way.
    const control = join(dirname(binaries.postgres), 'pg_ctl.exe');
    await exitOf(spawn(control, ['stop', '-D', data, '-m', 'fast', '-w'], { stdio: 'ignore' }));
    return;
  }
  for (const [name, waitMs] of STOP_SERIES) {
    signal(pid, name);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((done) => {
      timer = setTimeout(() => done(true), waitMs);
    });
    const isLate = await Promise.race([exited.then(() => false), late]);
    clearTimeout(timer);
    if (!isLate) return;
  }
}

/**
 * A process that does nothing but wait for us to die. Its standard input is a pipe that only we hold: when
 * we are gone, killed or not, the kernel closes it, and the guard stops the server.
 */
function guardOver(pid: number, account: Account | undefined): ChildProcess {
  const guard =
    process.platform === 'win32'
      ? spawn(process.execPath, ['-e', `process.stdin.resume().on('end', () => process.kill(${pid}))`], {
          stdio: ['pipe', 'ignore', 'ignore'],
          detached: true,
          windowsHide: true,
        })
      : spawn('/bin/sh', ['-c', 'read -r never; kill -INT "$1"', 'sh', String(pid)], {
          ...surroundings(account, '/'),
          stdio: ['pipe', 'ignore', 'ignore'],
          detached: true,
        });
  guard.on('error', () => {}); // no shell: the next start finds the server by its pid file, and stops it
  guard.unref();
  return guard;
}

/** A clean environment: PGPORT, PGDATA, LANG and the like must not reach in. */
function surroundings(account: Account | undefined, cwd: string) {
  const env = process.platform === 'win32' ? {} : { env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' } };
  return { ...account, ...env, cwd, windowsHide: true };
}

/** Resolves to true when the server says that it is ready. Its messages are in English because LC_ALL is C. */
function readiness(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    let seen = '';
    const listen = (chunk: Buffer) => {
      seen = (seen + chunk.toString('utf8')).slice(-4096);
      if (!/database system is ready to accept (read-only )?connections/.test(seen)) return;
      child.stderr?.off('data', listen);
      resolve(true);
    };
    child.stderr?.on('data', listen);
  });
}

/** Collects what a process writes; the answer is the last lines of it. */
function lastWords(child: ChildProcess, logger: Logger | undefined): () => string {
  let text = '';
  child.on('error', (error) => {
    text += `${error.message}\n`;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    const more = chunk.toString('utf8');
    text = (text + more).slice(-4000);
    logger?.debug({ part: 'postgres' }, more.trimEnd());
  });
  return () => text.trim() || 'it said nothing';
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', (code) => resolve(code));
  });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // already gone
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
