// What a terminal and a pipe do to a server that was started by hand.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Build, buildServer } from '../support/built-server.ts';
import { ask, compileFixtures, eventually, readiness } from './fixture-server.ts';

let fixtures: ReturnType<typeof compileFixtures>;
let build: Build;
let folder: string;
let operations: string;
let environment: Record<string, string>;
let shell: ChildProcess | undefined;

beforeAll(() => {
  fixtures = compileFixtures();
  build = buildServer();
}, 120_000);
afterAll(() => {
  fixtures.remove();
  build?.remove();
});
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'coherent-terminal-'));
  const [port, opsPort] = [await freePort(), await freePort()];
  operations = `http://127.0.0.1:${opsPort}`;
  environment = {
    PATH: process.env.PATH ?? '',
    FIXTURE_ID: folder,
    DATA_DIR: folder,
    HOST: '127.0.0.1',
    PORT: String(port),
    OPS_PORT: String(opsPort),
    WORKERS: '1',
    DATABASE_URL: '',
  };
});
afterEach(async () => {
  for (const pid of family()) process.kill(pid, 'SIGKILL');
  await eventually(() => family().length === 0, 'nothing is left');
  rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Every process that has this test's mark, whatever terminal or group it is in. */
function family(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`FIXTURE_ID=${folder}`);
      } catch {
        return false;
      }
    });
}

const isServing = async () => (await readiness(operations).catch(() => undefined))?.status === 200;

/** `script` is the terminal: when it dies, the kernel tells whoever sits at it. */
function atTerminal(): ChildProcess {
  shell = spawn('script', ['-qec', `${process.execPath} ${fixtures.main}`, '/dev/null'], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...environment, SHELL: '/bin/sh' },
  });
  return shell;
}

test('a terminal that is closed takes the server and its services along', async () => {
  const terminal = atTerminal();
  await eventually(isServing, 'it serves');
  expect(family().length).toBeGreaterThanOrEqual(4);
  terminal.kill('SIGKILL');
  await eventually(() => family().length === 0, 'every process is gone');
});

test.each(['true', 'head -c 1'])(
  'a reader that has seen enough (%s) leaves the server alone',
  async (reader) => {
    const line = `${process.execPath} ${fixtures.main} 2>&1 | ${reader}`;
    shell = spawn('/bin/sh', ['-c', line], { env: environment, stdio: 'ignore' });
    await eventually(isServing, 'it serves');
    const url = `http://127.0.0.1:${environment.PORT}`;
    const { pid } = await ask(url);
    // Whoever writes to these streams, an application too: the last answer comes after the errors of the first.
    for (let times = 0; times < 3; times++) expect((await ask(url, '/write')).pid).toBe(pid);
    expect((await fetch(`${operations}/reload`, { method: 'POST' })).status).toBe(200);
    expect((await ask(url)).pid).not.toBe(pid);
    expect(await isServing()).toBe(true);
  },
);

test('streams that were closed from the start do, too', async () => {
  const closed = `exec ${process.execPath} ${fixtures.main} <&- >&- 2>&-`;
  shell = spawn('/bin/sh', ['-c', closed], { env: environment, stdio: 'ignore' });
  await eventually(isServing, 'it serves');
  await ask(`http://127.0.0.1:${environment.PORT}`, '/write');
  expect(await isServing()).toBe(true);
});

test.each(['--help', 'config', 'config --json', 'db prepare somebody', 'explain'])(
  'coherent-server %s ends by itself when nobody reads it',
  async (command) => {
    const server = path.join(build.folder, 'package/dist/server.js');
    const run = `${process.execPath} ${server} ${command}`;
    const line = `${run} 2>"$0" | true; ${run} 2>>"$0" | head -c 1 >/dev/null`;
    const errors = path.join(folder, 'errors');
    await promisify(execFile)('/bin/sh', ['-c', line, errors], { env: environment, cwd: folder });
    expect(readFileSync(errors, 'utf8')).not.toMatch(/EPIPE|node:/);
  },
);
