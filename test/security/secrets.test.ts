// Secrets stay where they are: not in the log, whatever fails, not in answers, not in what `config` prints. Every
// setting that is marked as secret is one here, those of tomorrow too.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keys, loadConfig, loadConfigWithSources } from '../../config/load.ts';
import type { Setting } from '../../config/settings/setting.ts';
import { settings } from '../../config/settings.ts';
import { type Build, buildServer, type RunningServer, startBuilt } from '../support/built-server.ts';
import { until } from '../support/redis.ts';
import { attackedSite } from './attacked-site.ts';

/** Stands in every secret, and nowhere else. */
const MARK = 'hunter2';

let build: Build;
let site: Readonly<Record<string, string>>;
/** Takes every connection and says nothing that Postgres, Redis or HTTP know. */
let babble: Server;
let secrets: Record<string, string>;

beforeAll(async () => {
  build = buildServer();
  site = attackedSite(build);
  babble = createServer((socket) => {
    socket.on('error', () => {});
    socket.end('-ERR this is no protocol\r\n');
  });
  await new Promise<void>((resolve) => babble.listen(0, '127.0.0.1', resolve));
  const address = babble.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  secrets = Object.fromEntries(secretSettings().map((setting) => [setting.name, secretFor(setting, port)]));
}, 120_000);
afterAll(() => {
  babble?.close();
  build?.remove();
});

function secretSettings(): Setting<unknown>[] {
  const all: Setting<unknown>[] = Object.values(settings);
  return all.filter(({ secret }) => secret === true);
}

/** A value that the setting takes and that leads nowhere. */
function secretFor({ name, kind }: Setting<unknown>, port: number): string {
  const at = `127.0.0.1:${port}`;
  const candidates = [
    `postgres://user:${MARK}@${at}/db`,
    `redis://:${MARK}@${at}`,
    `http://${at}/${MARK}`,
    `https://${at}/${MARK}`,
    `${MARK}-of-${name}`,
  ];
  // A token takes an address, too; it had better look like one.
  if (/TOKEN|SECRET/.test(name)) candidates.reverse();
  const found = candidates.find((value) => kind.schema.safeParse(value).success);
  if (found === undefined) throw new Error(`this test has no secret for ${name}: give it one`);
  return found;
}

/** What some secrets ask for beside them. */
const BESIDE = { CDN_PURGE: 'fastly', CDN_PURGE_URL: 'http://127.0.0.1:1/', SURROGATE_KEYS: 'on' };

function run(args: readonly string[], env: Readonly<Record<string, string>>) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(build.folder, 'package/dist/server.js'), ...args],
    { cwd: build.folder, env: { PATH: process.env.PATH ?? '', ...BESIDE, ...env }, encoding: 'utf8' },
  );
  return { output: stdout + stderr, status };
}

test('each secret may stand in a file', () => {
  const environment: Record<string, string> = { ...BESIDE };
  for (const [name, value] of Object.entries(secrets)) {
    const file = join(build.folder, `secret-${name}`);
    writeFileSync(file, `${value}\n`);
    environment[`${name}_FILE`] = file;
  }
  const { config, sources } = loadConfigWithSources({ environment, cwd: build.folder });
  for (const key of keys) {
    const setting: Setting<unknown> = settings[key];
    if (setting.secret === undefined) continue;
    expect(config[key], setting.name).toBe(secrets[setting.name]);
    expect(sources[key]).toBe(`file ${join(build.folder, `secret-${setting.name}`)}`);
  }
  const printed = run(['config'], environment);
  expect(printed.status).toBe(0);
  expect(printed.output).not.toContain(MARK);
});

test('`config` names every secret and prints none, in words and as JSON', () => {
  for (const args of [['config'], ['config', '--json']]) {
    const { output, status } = run(args, secrets);
    expect(status).toBe(0);
    for (const name of Object.keys(secrets)) expect(output).toContain(name);
    expect(output).not.toContain(MARK);
  }
});

test('a secret that is wrong is not shown in the message that says so', () => {
  const wrong = Object.fromEntries(Object.keys(secrets).map((name) => [name, `${MARK} with spaces\u0007`]));
  expect(() => loadConfig({ environment: wrong, cwd: build.folder })).toThrow('(hidden)');
  const { output, status } = run([], wrong);
  expect(status).toBe(1);
  for (const name of Object.keys(secrets)) expect(output).toContain(name);
  expect(output).not.toContain(MARK);
});

interface Reply {
  readonly status: number;
  readonly text: string;
}

function ask(
  base: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body = '',
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, base), { method, headers, agent: false }, (response) => {
      let text = JSON.stringify(response.headers);
      const { statusCode: status = 0 } = response;
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        // What never ends has said enough.
        if (/event-stream/.test(String(response.headers['content-type']))) response.destroy();
      });
      response.on('close', () => resolve({ status, text }));
    });
    sent.on('error', reject).end(body);
  });
}

/** Everything that anybody may ask of the operations port, and some that nobody may. */
async function askAll(operations: string, token: string): Promise<string> {
  const bearer = { authorization: `Bearer ${token}` };
  const { text } = await ask(operations, 'GET', '/no-such-thing', bearer);
  const routes = [...text.matchAll(/"(GET|POST) (\/[^"]*)"/g)].map(([, method = '', path = '']) => ({
    method,
    path,
  }));
  expect(routes.length).toBeGreaterThan(4);
  let said = text;
  for (const { method, path } of routes) {
    // These end the run; they are asked for by signal below.
    if (path === '/reload' || path.includes('drain') || path.endsWith('/events')) continue;
    said += (await ask(operations, method, path, bearer, method === 'POST' ? '{"keys":["users#1"]}' : ''))
      .text;
    said += (await ask(operations, method, path, { authorization: `Bearer ${token}x` })).text;
  }
  return said;
}

test('nothing that goes wrong while it runs writes or answers one', { timeout: 90_000 }, async () => {
  let server: RunningServer | undefined;
  try {
    server = await startBuilt(build, {
      ...site,
      ...secrets,
      ...BESIDE,
      FEED: 'on',
      LOG_LEVEL: 'debug',
      ACCESS_LOG: 'all',
    });
    const running = server;
    const operations = /"operations":"([^"]+)"/.exec(running.output())?.[1] ?? '';
    let said = '';
    const own = {
      host: 'site.test',
      cookie: `session=${MARK}-of-a-visitor`,
      authorization: `Bearer ${MARK}-of-a-visitor`,
    };
    for (const path of [
      '/',
      '/echo/1',
      '/nowhere',
      '/go/a?to=/%5cx',
      `/echo/2?q=1&token=${MARK}-in-a-query`,
      '/%00',
    ]) {
      said += (await ask(running.url, 'GET', path, own)).text;
      said += (await ask(running.url, 'GET', path, { ...own, 'x-coherent-token': secrets.DEBUG_TOKEN ?? '' }))
        .text;
    }
    said += await askAll(operations, secrets.OPS_TOKEN ?? '');
    const served = () =>
      running.output().split('"a worker serves"').length + running.output().split('serving').length;
    const before = served();
    await ask(operations, 'POST', '/reload', { authorization: `Bearer ${secrets.OPS_TOKEN}` });
    await until(() => served() > before || /reload/i.test(running.output()));
    await running.stop();
    expect(said).not.toContain(MARK);
    const written = running.output();
    // It did go wrong.
    expect(written).toMatch(/redis/i);
    expect(written).toMatch(/postgres|database/i);
    expect(written.split('\n').filter((line) => line.includes(MARK))).toEqual([]);
  } finally {
    await server?.stop();
  }
});
