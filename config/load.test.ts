import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ConfigError } from './errors.ts';
import { type LoadOptions, loadConfig, loadConfigWithSources } from './load.ts';
import type { Machine } from './machine.ts';
import { formatReport, hostOf, report } from './report.ts';
import type { Setting } from './settings/setting.ts';
import { settings } from './settings.ts';

const GiB = 1024 ** 3;
const machine: Machine = { cpus: 3, memoryBytes: 8 * GiB, node: '20.20.2', platform: 'linux' };
const folder = mkdtempSync(path.join(tmpdir(), 'coherent-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Like a start in an empty folder, unless the test brings its own. */
function from(environment: Record<string, string>, rest: Partial<LoadOptions> = {}): LoadOptions {
  return { environment, machine, cwd: '/nonexistent', ...rest };
}

function mistakes(
  environment: Record<string, string>,
  rest: Partial<LoadOptions> = {},
): Record<string, string> {
  try {
    loadConfig(from(environment, rest));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(
      error.mistakes.map(({ name, value, allowed }) => [name, `${value ?? ''}: ${allowed}`]),
    );
  }
  return {};
}

describe('settings', () => {
  test('every default is allowed, and every name is there once', () => {
    const all: Setting<unknown>[] = Object.values(settings);
    for (const { name, kind, default: text } of all) {
      if (text !== undefined) expect(kind.schema.safeParse(text).success, name).toBe(true);
    }
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  });

  test('nothing set gives a complete, frozen configuration', () => {
    const config = loadConfig(from({}));
    expect(config).toMatchObject({
      port: 3000,
      opsHost: '127.0.0.1',
      workers: 3,
      degradedTtlMs: 1000,
      production: false,
    });
    expect(config.databaseUrl).toBeUndefined();
    expect(Object.isFrozen(config)).toBe(true);
    // Whether there is a pooler is found out with each connection.
    expect(JSON.stringify({ ...config, dbPooler: 'none' })).not.toContain('auto');
  });

  test('a rollout names each part at most once, with a percentage', () => {
    for (const good of ['l2=10', 'fragments=99.5,l1=0', 'l1=1,l2=2,l3=3,fragments=4,static=5,refresh=100']) {
      expect(loadConfig(from({ ROLLOUT: good })).rollout).toBe(good);
    }
    for (const bad of ['l2', 'l4=1', 'l2=101', 'l2=-1', 'l2=10, l3=5', 'l2=1,l3=2,l2=3', 'l2=10,']) {
      expect(mistakes({ ROLLOUT: bad }), bad).toHaveProperty('ROLLOUT');
    }
  });

  test('warming must be over before the start is given up', () => {
    expect(mistakes({ WARM_TIMEOUT_MS: '30000' })).toHaveProperty('WARM_TIMEOUT_MS');
    expect(mistakes({ WARM_TIMEOUT_MS: '29999' })).toEqual({});
  });

  test('an empty value counts as not set', () => {
    expect(loadConfig(from({ PORT: '', REDIS_URL: ' ' }))).toMatchObject({ port: 3000, redisUrl: undefined });
  });

  test('sizes are read with units', () => {
    expect(loadConfig(from({ L1_MAX_BYTES: '64MiB' })).l1MaxBytes).toBe(64 * 1024 * 1024);
    expect(loadConfig(from({ L1_MAX_BYTES: '2 gb' })).l1MaxBytes).toBe(2e9);
    expect(mistakes({ L1_MAX_BYTES: '64 elephants' })).toHaveProperty('L1_MAX_BYTES');
  });

  test.each(['on', 'TRUE', '1', 'yes'])('%s turns a switch on', (text) => {
    expect(loadConfig(from({ L3: text })).l3).toBe(true);
  });

  test.each(['off', 'False', '0', 'no'])('%s turns a switch off', (text) => {
    expect(loadConfig(from({ L3: text })).l3).toBe(false);
  });

  test('the heap is what the memory leaves to each worker', () => {
    // (8192 MiB * 0.75 - 96 - 95.4) / 3
    expect(loadConfig(from({ L1_MAX_BYTES: '100MB' })).heapMaxMb).toBe(1984);
    expect(loadConfig(from({}, { machine: { ...machine, memoryBytes: GiB / 4 } })).heapMaxMb).toBe(128);
  });
});

describe('mistakes', () => {
  test('are told all at once, with the value and what is allowed', () => {
    const found = mistakes({
      PORT: 'http',
      WORKERS: '0',
      LOG_LEVEL: 'loud',
      PUBLIC_ORIGIN: 'https://example.com/shop',
      NODE_ENV: 'production',
      DRAIN_TIMEOUT_MS: '28000',
    });
    expect(found).toEqual({
      PORT: 'http: must be a whole number from 0 to 65535',
      WORKERS: '0: must be auto, or a whole number from 1 to 1024',
      LOG_LEVEL: 'loud: must be one of debug, info, warn, error, silent',
      PUBLIC_ORIGIN: 'https://example.com/shop: must be an origin like https://example.com, without a path',
      GRACE_MS: '30000: must be at least SHUTDOWN_DELAY_MS + DRAIN_TIMEOUT_MS + 3000 = 36000',
      DATABASE_URL: ': must be set when NODE_ENV=production: nothing is embedded there',
    });
  });

  test('never show a secret', () => {
    expect(mistakes({ DATABASE_URL: 'postgres://u:hunter2@a:1,b:2/x' }).DATABASE_URL).toMatch(/One host/);
    expect(
      mistakes({ DATABASE_URL: 'postgres://u:p@db/x?sslrootcert=/nowhere/ca.pem' }).DATABASE_URL,
    ).toMatch(/nowhere.ca.pem/);
    const found = mistakes({ DATABASE_URL: 'mysql://root:hunter2@db/x', OPS_TOKEN: 'hunter2' });
    expect(Object.keys(found)).toEqual(['OPS_TOKEN', 'DATABASE_URL']);
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });

  test.each([
    ['PORT', '3.5'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '0x50'],
    ['PORT', '1e3'],
    ['HOST', 'two words'],
    ['REDIS_URL', 'localhost:6379'],
    ['REDIS_URL', 'redis://host?nodes=a,b'],
    ['OPS_TOKEN', 'with spaces in it, long enough'],
    ['COHERENCE_BOUND_MS', '2s'],
  ])('%s=%s is one', (name, value) => {
    expect(mistakes({ [name]: value })).toHaveProperty(name);
  });

  test.each([
    ['ALLOWED_HOSTS', ['example.org', '*.example.org, localhost:3000', '127.0.0.1,[::1]:80', 'a']],
    ['TRUSTED_PROXIES', ['10.0.0.0/8', '127.0.0.1, ::1', 'fd00::/8']],
    ['HSTS', ['off', 'max-age=0', 'max-age=63072000; includeSubDomains; preload']],
  ])('%s takes what it should', (name, values) => {
    for (const value of values) expect(mistakes({ [name]: value }), value).toEqual({});
  });

  test.each([
    [
      'ALLOWED_HOSTS',
      ['*', 'https://example.org', 'example.org/', 'a,,b', 'a b', 'a,', 'me@a', '*example.org'],
    ],
    ['TRUSTED_PROXIES', ['1', 'true', 'loopback', '10.0.0.0/33', '10.0.0.1,', '0.0.0.0/0 x']],
    ['HSTS', ['on', 'max-age', 'max-age=1\r\nx: y', 'max-age=1, x']],
  ])('%s takes nothing else', (name, values) => {
    for (const value of values) expect(mistakes({ [name]: value }), value).toHaveProperty(name);
  });

  test('are found between settings', () => {
    expect(mistakes({ OPS_HOST: '0.0.0.0' })).toHaveProperty('OPS_HOST');
    expect(mistakes({ OPS_HOST: '0.0.0.0', OPS_TOKEN: 'a-token-of-sixteen' })).toEqual({});
    expect(mistakes({ OPS_PORT: '3000' })).toHaveProperty('OPS_PORT');
    expect(mistakes({ DEGRADED_TTL_MS: '1500' })).toHaveProperty('DEGRADED_TTL_MS');
    expect(mistakes({ RENDER_SOFT_TIMEOUT_MS: '20000' })).toHaveProperty('RENDER_SOFT_TIMEOUT_MS');
  });

  test('reuseport needs a Node that has it', () => {
    const reuseport = { CLUSTER_SCHEDULING: 'reuseport' };
    expect(mistakes(reuseport)).toHaveProperty('CLUSTER_SCHEDULING');
    expect(mistakes(reuseport, { machine: { ...machine, node: '22.12.0' } })).toEqual({});
    expect(mistakes(reuseport, { machine: { ...machine, node: '23.0.0' } })).toHaveProperty(
      'CLUSTER_SCHEDULING',
    );
    expect(mistakes(reuseport, { machine: { ...machine, node: '24.0.0', platform: 'darwin' } })).not.toEqual(
      {},
    );
  });
});

describe('sources', () => {
  const secret = path.join(folder, 'db-secret');
  writeFileSync(secret, 'postgres://app:hunter2@db.internal/app\n');
  writeFileSync(path.join(folder, 'empty'), '\n');
  writeFileSync(path.join(folder, '.env'), 'PORT=4000\nWORKERS="5" # of eight\nLOG_LEVEL=warn\n');

  test('the environment wins over .env, which wins over the default', () => {
    const { config, sources } = loadConfigWithSources(from({ PORT: '5000' }, { cwd: folder }));
    expect(config).toMatchObject({ port: 5000, workers: 5, host: '0.0.0.0' });
    expect(sources).toMatchObject({
      port: 'environment',
      workers: '.env',
      host: 'default',
      heapMaxMb: 'derived',
      app: 'unset',
    });
  });

  test('a secret is read from a file, without its last line break', () => {
    const { config, sources } = loadConfigWithSources(
      from({ DATABASE_URL_FILE: 'db-secret' }, { cwd: folder }),
    );
    expect(config.databaseUrl).toBe('postgres://app:hunter2@db.internal/app');
    expect(sources.databaseUrl).toBe('file db-secret');
  });

  test('a secret given twice, in no file or in an empty one is a mistake', () => {
    expect(mistakes({ DATABASE_URL_FILE: secret, DATABASE_URL: 'postgres://a/b' })).toHaveProperty(
      'DATABASE_URL_FILE',
    );
    expect(mistakes({ OPS_TOKEN_FILE: '/nonexistent/token' }).OPS_TOKEN_FILE).toContain('ENOENT');
    expect(mistakes({ OPS_TOKEN_FILE: path.join(folder, 'empty') }).OPS_TOKEN_FILE).toContain('not empty');
  });

  test('the report names every setting with its source, and masks secrets', () => {
    const environment = { DATABASE_URL_FILE: secret, OPS_TOKEN: 'a-token-of-sixteen', PORT: '80' };
    const lines = report(loadConfigWithSources(from(environment)));
    expect(lines).toHaveLength(Object.keys(settings).length);
    expect(lines).toContainEqual({ name: 'PORT', value: 80, source: 'environment' });
    expect(lines).toContainEqual({ name: 'OPS_TOKEN', value: '***', source: 'environment' });
    expect(lines).toContainEqual({
      name: 'DATABASE_URL',
      value: 'postgres://***@db.internal/***',
      source: `file ${secret}`,
    });
    expect(formatReport(lines)).not.toMatch(/hunter2|a-token/);
  });

  test('a banner may know the host of an address and no more', () => {
    expect(hostOf('postgres://app:hunter2@db.internal:5433/app?sslmode=require')).toBe('db.internal:5433');
  });
});
