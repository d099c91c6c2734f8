import { expect, test } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { type BannerFacts, banner, bannerLine } from './banner.ts';

function facts(environment: Record<string, string>, rest: Partial<BannerFacts> = {}): BannerFacts {
  const config = loadConfig({ environment: { WORKERS: '2', ...environment }, cwd: '/nonexistent' });
  return {
    config,
    opsPort: 3001,
    serving: 2,
    embedded: undefined,
    notes: [],
    version: '1.2.3',
    node: '26.1.0',
    ...rest,
  };
}

const databaseUrl = 'postgres://app:hunter2@db.internal:5433/shop';

test('names the addresses, and of services no more than the host', () => {
  const text = banner(facts({ DATABASE_URL: databaseUrl, REDIS_URL: 'redis://:hunter2@cache:6379/1' }));
  expect(text).toContain('http://localhost:3000');
  expect(text).toContain('http://localhost:3001/readyz');
  expect(text).toContain('db.internal:5433');
  expect(text).toContain('cache:6379');
  expect(text).not.toMatch(/hunter2|shop|app:/);
});

test('names the application, and does not let the sample be taken for it', () => {
  expect(banner(facts({ DATABASE_URL: databaseUrl, APP: '/srv/shop' }))).toMatch(/Application +\/srv\/shop/);
  const sample = facts({ DATABASE_URL: databaseUrl });
  expect(banner(sample)).toMatch(/Application +the sample/);
  expect(JSON.parse(bannerLine(sample)).application).toContain('APP');
});

test('says what is embedded, what is off and how to turn it on', () => {
  const embedded = { databaseUrl: 'postgres://coherent@127.0.0.1:40001/app', notes: [] };
  const started = facts({ DATABASE_URL: embedded.databaseUrl }, { embedded, notes: ['a worker’s own note'] });
  const text = banner(started);
  expect(text).toContain('embedded at 127.0.0.1:40001, data in .data/postgres');
  expect(text).toContain('Set REDIS_URL to share cache and purges, or install redis-server');
  expect(text).toContain('a worker’s own note');
  expect(JSON.parse(bannerLine(started))).toMatchObject({ embedded: ['postgres'], redis: null, workers: 2 });
});

test('says that a private Redis is embedded, and in production offers none', () => {
  const redisUrl = 'unix:///srv/.data/redis/redis.sock';
  const both = { databaseUrl, redisUrl, notes: [] };
  const started = facts({ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl }, { embedded: both });
  expect(banner(started)).toMatch(/Redis +embedded, data in \.data\/redis/);
  expect(JSON.parse(bannerLine(started))).toMatchObject({ embedded: ['postgres', 'redis'] });
  const production = banner(facts({ DATABASE_URL: databaseUrl, NODE_ENV: 'production' }));
  expect(production).toContain('Set REDIS_URL to share cache and purges.');
  expect(production).not.toContain('redis-server');
});

test('is one line of JSON where nobody is at a terminal', () => {
  const line = bannerLine(facts({ DATABASE_URL: databaseUrl, PUBLIC_ORIGIN: 'https://example.com' }));
  expect(line.trimEnd()).not.toContain('\n');
  expect(JSON.parse(line)).toMatchObject({
    msg: 'serving',
    url: 'https://example.com',
    postgres: 'db.internal:5433',
  });
  expect(line).not.toContain('hunter2');
});

test('does not hide that some workers are missing', () => {
  expect(banner(facts({ DATABASE_URL: databaseUrl }, { serving: 1 }))).toContain('1 of 2');
});

test('in production says that every host is answered for, until a list says which', () => {
  const environment = { DATABASE_URL: databaseUrl, NODE_ENV: 'production' };
  expect(banner(facts(environment))).toContain('Set ALLOWED_HOSTS');
  expect(banner(facts({ ...environment, ALLOWED_HOSTS: 'a.test' }))).not.toContain('ALLOWED_HOSTS');
  expect(banner(facts({ DATABASE_URL: databaseUrl }))).not.toContain('ALLOWED_HOSTS');
});
