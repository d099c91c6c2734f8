import { type ChildProcess, fork, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { builtCopy } from '../test/support/built-copy.ts';
import { redisProgram } from '../test/support/redis.ts';

interface Answer {
  readonly type: string;
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  readonly notes?: string[];
  readonly code?: string;
  readonly message?: string;
}

let folder: string;
let program: string;
const children: ChildProcess[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coherent-services-'));
  chmodSync(folder, 0o755);
  program = join(builtCopy(join(folder)), 'workers', 'services.js');
  writeFileSync(join(folder, 'schema.sql'), 'create table users (id int primary key, name text);');
  writeFileSync(
    join(folder, 'seed.js'),
    "export default ({ insert }) => insert('users', ['id', 'name'], [[1, 'Ada']], 1);",
  );
});
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function config(dataDir: string, more: object = {}) {
  // Redis is configured unless a test wants a private one: the most of these are about Postgres.
  return {
    dataDir: join(folder, dataDir),
    app: folder,
    logLevel: 'silent',
    redisUrl: 'redis://elsewhere',
    ...more,
  };
}

async function launch(dataDir: string, more: object = {}): Promise<{ child: ChildProcess; answer: Answer }> {
  const child = fork(program, [], { detached: true, execArgv: [] });
  children.push(child);
  const answer = new Promise<Answer>((resolve) => {
    child.on('message', (message: Answer) => message.type !== 'beat' && resolve(message));
  });
  child.send({ type: 'start', config: config(dataDir, more) });
  return { child, answer: await answer };
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

function postmaster(dataDir: string): number {
  return Number.parseInt(readFileSync(join(folder, dataDir, 'postgres/data/postmaster.pid'), 'utf8'), 10);
}

async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((done) => setTimeout(done, 10));
  }
}

test('it answers with a database that holds the sample, and ends with 0 on SIGTERM, the server before it', async () => {
  const { child, answer } = await launch('first');
  expect(answer.type).toBe('ready');
  expect(answer.notes?.join()).not.toContain(new URL(answer.databaseUrl ?? '').password);
  const client = new pg.Client({ connectionString: answer.databaseUrl });
  client.on('error', () => {}); // the server is stopped under it
  await client.connect();
  expect((await client.query('select * from users')).rows).toEqual([{ id: 1, name: 'Ada' }]);
  const pid = postmaster('first');
  const gone = exitOf(child);
  child.kill('SIGTERM');
  expect(await gone).toBe(0);
  await untilGone(pid);
});

test('Ctrl+C is left to the primary', async () => {
  const { child, answer } = await launch('first');
  child.kill('SIGINT');
  const client = new pg.Client({ connectionString: answer.databaseUrl });
  await client.connect();
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await client.end();
  const gone = exitOf(child);
  child.disconnect();
  expect(await gone).toBe(0);
});

test('what cannot start says why and ends with 1', async () => {
  writeFileSync(join(folder, 'schema.sql'), 'create tabel users;');
  const { child, answer } = await launch('second');
  expect(answer).toMatchObject({ type: 'failed', code: 'E_PREPARE_FAILED' });
  if (child.exitCode === null) expect(await exitOf(child)).toBe(1);
  expect(() => postmaster('second')).toThrow('ENOENT');
  writeFileSync(join(folder, 'schema.sql'), 'create table users (id int primary key, name text);');
});

test('when the server dies under it, it ends with 1 for the primary to start it again', async () => {
  const { child } = await launch('first');
  const gone = exitOf(child);
  process.kill(postmaster('first'), 'SIGKILL');
  expect(await gone).toBe(1);
});

test('a server that a signal has stopped is killed, and what ran it starts it again', async () => {
  redisProgram();
  const { child, answer } = await launch('stopped', { redisUrl: undefined });
  const redis = new Redis({
    path: decodeURI(new URL(answer.redisUrl ?? '').pathname),
    maxRetriesPerRequest: null,
  });
  redis.on('error', () => {}); // the server is killed under it
  const pidOf = async () => Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
  const before = await pidOf();
  process.kill(before, 'SIGSTOP');
  expect(await pidOf()).not.toBe(before);
  redis.disconnect();

  const gone = exitOf(child);
  process.kill(postmaster('stopped'), 'SIGSTOP');
  expect(await gone).toBe(1);
}, 60_000);

test('what is configured is not run: with a database there is only a private Redis, which goes with it', async () => {
  redisProgram();
  const databaseUrl = 'postgres://elsewhere.invalid/db';
  const { child, answer } = await launch('redis only', { databaseUrl, redisUrl: undefined });
  expect(answer).toMatchObject({ type: 'ready', notes: [] });
  expect(answer.databaseUrl).toBeUndefined();
  const redis = new Redis({ path: decodeURI(new URL(answer.redisUrl ?? '').pathname), lazyConnect: true });
  redis.on('error', () => {}); // the server is stopped under it
  expect(await redis.ping()).toBe('PONG');
  const gone = exitOf(child);
  child.kill('SIGTERM');
  expect(await gone).toBe(0);
  redis.disconnect();
  expect(existsSync(join(folder, 'redis only/redis/redis.sock'))).toBe(false);
  expect(existsSync(join(folder, 'redis only/postgres'))).toBe(false);
});

test('a Redis that does not start is a note, not the end', async () => {
  const databaseUrl = 'postgres://elsewhere.invalid/db';
  redisProgram();
  const { child, answer } = await launch(`long${'-'.repeat(100)}`, { databaseUrl, redisUrl: undefined });
  expect(answer).toMatchObject({
    type: 'ready',
    notes: [expect.stringContaining('too long a path for a socket')],
  });
  expect(answer.redisUrl).toBeUndefined();
  const gone = exitOf(child);
  child.kill('SIGTERM');
  expect(await gone).toBe(0);
});

test('a primary killed with -9 takes both with it', async () => {
  const script = `
    import { fork } from 'node:child_process';
    const child = fork(${JSON.stringify(program)}, [], { detached: true, execArgv: [] });
    child.on('message', (message) => console.log(JSON.stringify({ type: message.type, pid: child.pid })));
    child.send({ type: 'start', config: ${JSON.stringify(config('first'))} });`;
  const primary = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(primary);
  for await (const line of createInterface({ input: primary.stdout })) {
    const said = JSON.parse(line) as { type: string; pid: number };
    if (said.type === 'beat') continue;
    expect(said.type).toBe('ready');
    const pid = postmaster('first');
    primary.kill('SIGKILL');
    await untilGone(pid);
    await untilGone(said.pid);
    return;
  }
  expect.fail('the primary said nothing');
});
