// /metrics of a real host: what it tells, what it loses when a worker dies, and what it does while one hangs.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { METRICS } from '../../src/monitor/metrics/all.ts';
import { type Build, buildServer, type RunningServer, startBuilt } from '../support/built-server.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { until } from '../support/redis.ts';
import { metricOf, type Scrape, scrape, wentBack } from '../support/scrape.ts';

const TOKEN = 'a-token-for-the-operations';
const repository = fileURLToPath(new URL('../..', import.meta.url));

const PAGE = `
import { page, fragment } from 'coherent-render-server';
import { z } from 'zod';
const Card = fragment('card', { key: ({ id }) => id, view: (id) => ({ b: { text: 'card ' + id } }) });
function Badge() { return { i: { text: 'badge' } }; }
export default page({
  params: { id: z.string() },
  load: ({ params, db }) => db.one('SELECT id, name FROM things WHERE id = $1', [params.id]),
  view: (thing) => ({ p: { children: [thing?.name ?? 'nothing', Badge, Card({ id: 1 })] } }),
});`;

let build: Build;
let database: TestDatabase;
let box: RunningServer;
let operations: string;

beforeAll(async () => {
  build = buildServer();
  database = await testDatabase(
    "create table things (id text primary key, name text not null); insert into things values ('a', 'one'), ('b', 'two')",
  );
  const folder = join(build.folder, 'site');
  mkdirSync(join(folder, 'pages/things'), { recursive: true });
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(build.folder, 'package'), join(folder, 'node_modules/coherent-render-server'));
  symlinkSync(join(repository, 'node_modules/zod'), join(folder, 'node_modules/zod'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'pages/things/[id].js'), PAGE);
  box = await startBuilt(build, {
    APP: folder,
    NODE_ENV: 'production',
    DATABASE_URL: database.url,
    FEED: 'on',
    WORKERS: '2',
    OPS_TOKEN: TOKEN,
  });
  operations = /"operations":"([^"]+)"/.exec(box.output())?.[1]?.replace('localhost', '127.0.0.1') ?? '';
  await serving(2);
}, 120_000);

afterAll(async () => {
  await box?.stop();
  await database?.close();
  build?.remove();
});

interface Ready {
  readonly serving: number;
  readonly workers: readonly { readonly slot: number; readonly pid: number; readonly deaths: number }[];
}

async function readiness(): Promise<Ready> {
  return (await (await fetch(new URL('/readyz', operations))).json()) as Ready;
}

async function serving(count: number): Promise<void> {
  await until(async () => (await readiness()).serving === count);
}

/** Enough that every worker has had some: connections are handed out in turn. */
async function visit(): Promise<void> {
  for (let request = 0; request < 12; request++) {
    const path = ['/things/a', '/things/b', '/nowhere', '/things/a?x=1'][request % 4] ?? '/';
    await (await fetch(new URL(path, box.url), { headers: { connection: 'close' } })).text();
  }
}

const look = () => scrape(operations, TOKEN);
const up = ({ series }: Scrape) => [0, 1].map((slot) => series.get(`coherent_worker_up{slot="${slot}"}`));

describe('/metrics', () => {
  it('is behind the token, and of the type that Prometheus asks for', async () => {
    expect((await scrape(operations)).status).toBe(401);
    expect(await look()).toMatchObject({
      status: 200,
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
    });
  });

  it('tells of requests by route template, method and status', async () => {
    await visit();
    await until(async () => {
      const { series } = await look();
      const count = (route: string, status: number) =>
        series.get(
          `http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="${status}",http_route="${route}"}`,
        );
      return count('/things/[id]', 200) === 9 && count('_404', 404) === 3;
    });
  });

  it('holds to what METRICS declares: type, labels, and no label that a visitor could make up', async () => {
    const { types, series } = await look();
    const declared = new Map(METRICS.map((metric) => [metric.name, metric]));
    for (const [name, type] of types)
      expect({ name, type: declared.get(name)?.type }).toEqual({ name, type });
    for (const key of series.keys()) {
      const metric = declared.get(metricOf(key)) ?? declared.get(key.replace(/\{.*$/s, ''));
      const labels = [...key.matchAll(/[{,](\w+)="/g)]
        .map(([, label]) => label)
        .filter((each) => each !== 'le');
      expect({ key, labels }).toEqual({ key, labels: metric?.labels });
      expect(key).not.toContain('/nowhere');
      expect(key).not.toContain('x=1');
    }
  });

  it('tells every metric that it declares, services of our own aside', async () => {
    // The feed asks for it once its slot is made.
    await until(async () => (await look()).types.has('coherent_slot_retained_bytes'));
    const { types } = await look();
    const missing = METRICS.map(({ name }) => name).filter((name) => !types.has(name));
    // Garbage may not have been collected yet; there are no services beside this host, nobody outside is told of
    // purges, and no promise of the page was rejected.
    const may = [
      'coherent_services_up',
      'coherent_unhandled_rejections_total',
      'v8js_gc_runs_total',
      'v8js_gc_seconds_total',
    ];
    const absent = missing.filter(
      (name) => !may.includes(name) && !name.startsWith('coherent_feed_watchers_'),
    );
    expect(absent).toEqual([]);
  });

  it('has buckets that grow towards the count', async () => {
    const { series, types } = await look();
    for (const [key, count] of series) {
      if (!/_count(\{|$)/.test(key) || types.get(metricOf(key)) !== 'histogram') continue;
      const base = key.replace('_count', '_bucket').replace(/\}$/, '');
      const prefix = base.endsWith('_bucket') ? `${base}{le="` : `${base},le="`;
      const buckets = [...series].filter(([each]) => each.startsWith(prefix)).map(([, value]) => value);
      expect(buckets).toEqual([...buckets].sort((a, b) => a - b));
      expect({ key, last: buckets.at(-1) }).toEqual({ key, last: count });
    }
  });

  it('answers while a worker hangs, says so, and takes no count back', async () => {
    await visit();
    const before = await look();
    const { pid, slot } = (await readiness()).workers[0] ?? { pid: 0, slot: -1 };
    process.kill(pid, 'SIGSTOP');
    let partial: Scrape;
    try {
      // The worker goes on only after this has been answered.
      partial = await look();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect(partial.series.get('coherent_scrape_partial')).toBe(1);
    expect(up(partial)[slot]).toBe(0);
    expect(up(partial)[1 - slot]).toBe(1);
    expect(wentBack(before, partial)).toEqual([]);
    expect(partial.series.has(`v8js_memory_heap_used_bytes{slot="${slot}"}`)).toBe(false);
    await until(async () => (await look()).series.get('coherent_scrape_partial') === 0);
  });

  it('takes no count back when a worker is killed, nor when its successor comes', async () => {
    await visit();
    const before = await look();
    const { pid, slot } = (await readiness()).workers[1] ?? { pid: 0, slot: -1 };
    process.kill(pid, 'SIGKILL');
    await until(async () => ((await readiness()).workers[slot]?.deaths ?? 0) > 0);
    const without = await look();
    expect(wentBack(before, without)).toEqual([]);
    expect(without.series.get(`coherent_worker_deaths_total{slot="${slot}"}`)).toBe(1);
    await serving(2);
    await visit();
    const after = await look();
    expect(up(after)).toEqual([1, 1]);
    expect(wentBack(without, after)).toEqual([]);
  });

  it('takes no count back over a reload, and loses nothing of those that drained', async () => {
    await visit();
    const pages = ({ series }: Scrape) =>
      [...series].reduce(
        (sum, [key, value]) =>
          key.startsWith('http_server_request_duration_seconds_count') ? sum + value : sum,
        0,
      );
    const before = await look();
    await visit();
    const reloaded = await fetch(new URL('/reload', operations), {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(reloaded.status).toBe(200);
    await until(async () => pages(await look()) === pages(before) + 12);
    expect(wentBack(before, await look())).toEqual([]);
  });
});
