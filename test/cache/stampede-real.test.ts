// 500 connections to one cold page of real servers: two hosts of two workers, with Redis between them and without.
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Build, buildServer, type RunningServer, startBuilt } from '../support/built-server.ts';
import { type CountingApp, countingApp } from '../support/counting-app.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { type TestRedis, testRedis, until } from '../support/redis.ts';

let build: Build;
let app: CountingApp;
let database: TestDatabase;
let redis: TestRedis;
let boxes: RunningServer[] = [];

beforeAll(async () => {
  build = buildServer();
  app = countingApp(build);
  [database, redis] = await Promise.all([testDatabase(''), testRedis()]);
}, 120_000);
afterEach(async () => {
  await Promise.all(boxes.map((box) => box.stop()));
  boxes = [];
});
afterAll(async () => {
  await database?.close();
  await redis?.close();
  build?.remove();
});

/** A host of two workers with a disk of its own. */
function startHost(name: string, env: Readonly<Record<string, string>>): Promise<RunningServer> {
  return startBuilt(build, {
    ...app.env(1000),
    NODE_ENV: 'production',
    DATABASE_URL: database.url,
    FEED: 'off',
    WORKERS: '2',
    DATA_DIR: join(build.folder, `${name}-${boxes.length}`),
    ...env,
  });
}

async function startBoxes(names: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
  boxes = await Promise.all(names.map((name) => startHost(name, env)));
}

/** 500 connections, one request each, turn and turn about. */
async function stampede(path: string): Promise<void> {
  const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });
  const one = async (box: RunningServer): Promise<string> => {
    const request = get(new URL(path, box.url), { agent });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const text = (await response.setEncoding('utf8').toArray()).join('');
    return `${response.statusCode} ${/<p>.*<\/p>/.exec(text)?.[0]}`;
  };
  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, index) => {
      const box = boxes[index % boxes.length];
      return box === undefined ? expect.fail('no host') : one(box);
    }),
  );
  expect(new Set(answers)).toEqual(new Set([`200 <p>page ${path.split('/').at(-1)}</p>`]));
  agent.destroy();
}

describe('500 connections to a cold page of two hosts of two workers', () => {
  it('are one render where they share a Redis', async () => {
    await startBoxes(['a', 'b'], { REDIS_URL: redis.url });
    await stampede('/slow/shared');
    expect(app.told('shared')).toEqual(['begun', 'ended']);
  }, 60_000);

  it('are one statement where the page computes next to nothing and waits 300 ms, whatever a scanner has asked for', async () => {
    await startBoxes(['w', 'x'], { REDIS_URL: redis.url });
    const statuses = new Set<number>();
    // Each worker gets to know the route: twenty pages of it, and three times as many addresses that lead nowhere.
    for (let n = 0; n < 20; n++) {
      const ids = [`known${n}`, `missing${n}`, `missing again ${n}`, `missing still ${n}`];
      const asked = boxes.flatMap(({ url }) => ids.map((id) => fetch(new URL(`/waiting/${id}`, url))));
      for (const { status } of await Promise.all(asked)) statuses.add(status);
    }
    expect(statuses).toEqual(new Set([200, 404]));
    await stampede('/waiting/wanted');
    expect(app.told('wanted')).toEqual(['begun']);
  }, 60_000);

  it('are one render in each host where there is no Redis', async () => {
    await startBoxes(['c', 'd'], {});
    await stampede('/slow/apart');
    expect(app.told('apart').sort()).toEqual(['begun', 'begun', 'ended', 'ended']);
  }, 60_000);
});

describe('a visitor who leaves while his page is rendered', () => {
  it('stops the render if nobody else waits for it, and leaves it to the others if somebody does', async () => {
    await startBoxes(['e'], { WORKERS: '1', RENDER_MS: '2000' });
    const [box] = boxes;
    const visit = (id: string) => {
      const leave = new AbortController();
      const answer = fetch(new URL(`/slow/${id}`, box?.url), { signal: leave.signal });
      answer.catch(() => {});
      return { leave, answer };
    };
    const alone = visit('alone');
    await until(() => app.told('alone').length === 1);
    alone.leave.abort();
    await until(() => app.told('alone').length === 2);
    expect(app.told('alone')).toEqual(['begun', 'aborted']);

    const first = visit('together');
    await until(() => app.told('together').length === 1);
    const second = visit('together');
    // The second has been heard when a later request of this one worker is.
    await fetch(new URL('/nowhere', box?.url));
    first.leave.abort();
    expect(await (await second.answer).text()).toContain('page together');
    expect(app.told('together')).toEqual(['begun', 'ended']);
  }, 60_000);
});
