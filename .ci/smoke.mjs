// What a newcomer does: a fresh clone, `npm ci && npm start`, two requests for the same page, Ctrl-C.
// Run as whoever runs CI and, where that is root, at the same time as an ordinary user. HOME is an empty folder
// and neither DATABASE_URL nor REDIS_URL is set, so everything must come from the project itself.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const START_LIMIT_MS = 240_000;
const STOP_LIMIT_MS = 30_000;

function expect(truth, message) {
  if (!truth) throw new Error(message);
}

/** The command lines of all processes that mention a folder. */
function commandsOf(folder) {
  const found = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      if (command.includes(folder)) found.push(`${pid} ${command}`);
    } catch {} // It has ended meanwhile.
  }
  return found;
}

/** Where it serves, from the line that says so. */
async function saidWithin(limitMs, exited, output) {
  const until = Date.now() + limitMs;
  for (;;) {
    const line = output()
      .split('\n')
      .find((one) => one.includes('"serving"'));
    const url = /"url":"([^"]+)"/.exec(line ?? '')?.[1];
    if (url) return url.replace('localhost', '127.0.0.1');
    if (exited()) throw new Error('the server stopped before it said where it serves');
    if (Date.now() > until) throw new Error(`it did not say within ${limitMs} ms where it serves`);
    await new Promise((next) => setTimeout(next, 250));
  }
}

async function answerWithin(url, limitMs, exited) {
  const until = Date.now() + limitMs;
  for (;;) {
    if (exited()) throw new Error(`the server stopped before it answered ${url}`);
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.status === 200) return answer;
    if (Date.now() > until)
      throw new Error(`${url} did not answer 200 within ${limitMs} ms (last: ${answer?.status})`);
    await new Promise((next) => setTimeout(next, 250));
  }
}

/** As root, what Postgres' own account cannot reach in the clone is put there. */
const SHARED = '/var/lib/coherent-render-server';
const sharedNames = () => (existsSync(SHARED) ? readdirSync(SHARED) : []);

async function smoke(label, identity) {
  // 0755: an ordinary user must be able to enter; 0700 for root, who meets the harder case that way.
  const folder = mkdtempSync(join(tmpdir(), 'smoke-'));
  chmodSync(folder, identity ? 0o755 : 0o700);
  const clone = join(folder, 'clone');
  const home = join(folder, 'home');
  mkdirSync(home);
  execFileSync('git', ['clone', '--quiet', root, clone]);
  const { DATABASE_URL: _1, REDIS_URL: _2, NODE_ENV: _3, APP: _4, DATA_DIR: _5, ...inherited } = process.env;
  const cache = execFileSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).trim();
  if (identity) execFileSync('chown', ['-R', `${identity.uid}:${identity.gid}`, folder]);
  const env = {
    ...inherited,
    HOME: home,
    // Whatever is free when it listens: a port chosen now may be taken by then.
    PORT: '0',
    OPS_PORT: '0',
    ...(identity ? {} : { npm_config_cache: cache }),
  };
  const options = { cwd: clone, env, ...(identity ?? {}) };
  let output = '';
  let exit;
  let server;
  try {
    // What it says is in the error, if it fails.
    await promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund'], options);
    server = spawn('npm', ['start'], { ...options, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    for (const stream of [server.stdout, server.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
      });
    const ended = new Promise((resolve) =>
      server.once('exit', (code, signal) => {
        exit = { code, signal };
        resolve(exit);
      }),
    );

    const origin = await saidWithin(
      START_LIMIT_MS,
      () => exit,
      () => output,
    );
    const url = `${origin}/users/17`;
    const first = await answerWithin(url, START_LIMIT_MS, () => exit);
    const html = await first.text();
    expect(
      /^<!doctype html>/i.test(html) && html.includes('</html>'),
      `${url} is not a page: ${html.slice(0, 200)}`,
    );
    const workers = 8;
    let status = '';
    for (let i = 0; i < workers && !/; hit/.test(status); i++) {
      const again = await fetch(url);
      status = again.headers.get('cache-status') ?? '';
      expect((await again.text()) === html, `${url} gave other bytes the second time`);
    }
    expect(/; hit/.test(status), `asked again, Cache-Status of ${url} does not say hit: ${status}`);

    process.kill(-server.pid, 'SIGTERM');
    const stopped = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, STOP_LIMIT_MS))]);
    expect(stopped, `npm start did not stop within ${STOP_LIMIT_MS} ms of SIGTERM`);
    // npm does not wait for what it started.
    let left = commandsOf(clone);
    for (
      const until = Date.now() + STOP_LIMIT_MS;
      left.length > 0 && Date.now() < until;
      left = commandsOf(clone)
    )
      await new Promise((next) => setTimeout(next, 100));
    expect(left.length === 0, `left running:\n${left.join('\n')}`);
    process.stdout.write(
      `ok   npm ci && npm start ${label}: /users/17 served, then from cache (${status})\n`,
    );
  } catch (error) {
    process.stdout.write(`FAIL npm ci && npm start ${label}: ${error.message}\n--- output\n${output}\n---\n`);
    process.exitCode = 1;
  } finally {
    if (server && !exit) {
      try {
        process.kill(-server.pid, 'SIGKILL');
      } catch {}
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

const isRoot = process.getuid?.() === 0;
const sharedBefore = sharedNames();
const runs = [smoke(isRoot ? 'as root' : 'as an ordinary user')];
if (isRoot) runs.push(smoke('as an ordinary user', { uid: 65534, gid: 65534 }));
await Promise.all(runs);
for (const name of sharedNames()) {
  if (!sharedBefore.includes(name)) rmSync(join(SHARED, name), { recursive: true, force: true });
}
