import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { silent } from '../../../test/support/silent.ts';
import { askOperations } from '../../cli/operations-client.ts';
import { addPurgeRoutes, BURST, MAX_BODY_BYTES, MAX_PURGE_KEYS } from '../../cluster/routes/purge-route.ts';
import { addRolloutRoute } from '../../cluster/routes/rollout-route.ts';
import { WorkerQuestions } from '../../cluster/routes/worker-questions.ts';
import { systemClock } from '../../core/clock.ts';
import type { Peer } from '../../host-link/message-router.ts';
import { HostBus } from '../../host-link/purges/host-bus.ts';
import { HostRelay } from '../../host-link/purges/host-relay.ts';
import { follow } from '../../invalidation/bus/follow.ts';
import { PurgeClock } from '../../invalidation/clock/clock.ts';
import { Lease } from '../../invalidation/clock/lease.ts';
import { Dependencies } from '../../invalidation/graph/dependencies.ts';
import { Operations } from '../../operations/operations.ts';
import { answerOperations } from './operations.ts';

const SLOTS = 2 ** 12;
const TOKEN = 'a-token-of-sixteen';

let folder: string;
let relay: HostRelay;
let questions: WorkerQuestions;
let operations: Operations;
let port: number;
let time: ManualClock;
let log: Record<string, unknown>[];
const workers: Worker[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'operations-'));
  relay = new HostRelay({ folder, clock: systemClock, logger: silent, newEpoch: randomUUID, slots: SLOTS });
  questions = new WorkerQuestions(systemClock);
  time = new ManualClock();
  log = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void log.push(JSON.parse(line)) });
  operations = new Operations({ host: '127.0.0.1', port: 0, token: TOKEN });
  addRolloutRoute(operations, questions);
  addPurgeRoutes(operations, { questions, clock: time, logger });
  port = await operations.start();
});
afterEach(async () => {
  await operations.close();
  await Promise.all(workers.splice(0).map(({ bus }) => bus.close()));
  await relay.close();
  rmSync(folder, { recursive: true });
});

interface Worker {
  readonly bus: HostBus;
  readonly clock: PurgeClock;
  readonly dependencies: Dependencies;
  /** Nothing it says arrives any more, and it hears nothing. */
  stop(): void;
  /** As the primary sees the end of a process. */
  die(): void;
}

/** A worker's end of both rooms, over lines like those of the cluster: structured, asynchronous, in order. */
async function worker(name: string): Promise<Worker> {
  let stopped = false;
  const pass = (body: unknown, to: (body: unknown) => void) => {
    const text = JSON.stringify(body);
    setImmediate(() => !stopped && to(JSON.parse(text)));
  };
  let hear: (body: unknown) => void = () => {};
  const member: Peer = { send: (body) => pass(body, hear) };
  const bus = new HostBus({
    newEpoch: randomUUID,
    line: {
      send: (body) => pass(body, (copy) => relay.receive(member, copy)),
      onMessage: (handler) => {
        hear = handler;
      },
    },
    clock: systemClock,
    lease: new Lease(systemClock, 200),
    logger: silent,
    readEveryMs: 100,
    needsFresh: false,
    member: name,
    degradedTtlMs: 400,
    slots: SLOTS,
  });
  const clock = new PurgeClock({ epoch: 'none', slots: SLOTS });
  const dependencies = new Dependencies({ clock: systemClock, logger: silent, maxRefreshes: 0 });
  follow(bus, clock, randomUUID);
  await bus.start();

  let asked: (body: unknown) => void = () => {};
  const from: Peer = { send: (body) => pass(body, asked) };
  answerOperations({
    link: {
      send: (_room, body) => pass(body, (copy) => questions.receive(from, copy)),
      onMessage: (_room, handler) => {
        asked = handler;
      },
      onDrain: () => {},
    },
    bus,
    dependencies,
    explainUrl: async (url) => (url === '/known' ? { url, worker: name } : undefined),
    explainWhy: async (url) => ({ of: url, asked: name }),
    rollout: () => ({ of: name }),
    log: silent,
  });
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const made = {
    bus,
    clock,
    dependencies,
    stop: () => {
      stopped = true;
    },
    die: () => {
      stopped = true;
      questions.leave(from);
      relay.leave(member);
    },
  };
  workers.push(made);
  return made;
}

function ask(method: 'GET' | 'POST', path: string, body?: unknown) {
  return askOperations({ host: '127.0.0.1', port, token: TOKEN }, method, path, body);
}

function raw(body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const sent = request({ port, method: 'POST', path: '/purge', headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject).end(body);
  });
}

describe('POST /purge', () => {
  it('purges on every worker before it answers, when asked to wait', async () => {
    const [a, b] = [await worker('a'), await worker('b')];
    const stamp = b.clock.stamp();
    const { status, body } = await ask('POST', '/purge', { keys: ['users#17', 'users#17'], wait: true });
    expect(status).toBe(200);
    expect(body).toEqual({ seq: 1, epoch: stamp.epoch, keys: 1, workers: 2 });
    for (const { clock } of [a, b]) {
      expect(clock.judge(clock.slotsOf(['users#17']), stamp)).toBe('purged');
      expect(clock.judge(clock.slotsOf(['users#18']), stamp)).toBe('valid');
    }
  });

  it('of a row reaches what was made from some of its columns, and tells what that is when asked before', async () => {
    const { clock, dependencies } = await worker('a');
    dependencies.tierObserver('page').entered('/17', ['users', 'users#17{}', 'users#17{name}']);
    const { body } = await ask('GET', `/explain?key=${encodeURIComponent('users#17')}`);
    expect(body).toMatchObject({ workers: [{ purges: ['users#17'], pages: ['/17'] }] });
    const stamp = clock.stamp();
    await ask('POST', '/purge', { keys: ['users#17'], wait: true });
    expect(clock.judge(clock.slotsOf(['users#17{}']), stamp)).toBe('purged');
  });

  it('expires, and closes over what the application declared', async () => {
    const { clock, dependencies } = await worker('a');
    dependencies.addDependency('profile', 'posts');
    const stamp = clock.stamp();
    const { body } = await ask('POST', '/purge', { keys: ['posts'], kind: 'expire', wait: true });
    expect(body).toMatchObject({ keys: 2 });
    expect(clock.judge(clock.slotsOf(['profile']), stamp)).toBe('expired');
  });

  it('purges what looks like a pattern, whichever worker of the host holds it', async () => {
    const [a, b] = [await worker('a'), await worker('b')];
    a.dependencies.tierObserver('page').entered('/1', ['users#1', 'posts#1']);
    b.dependencies.tierObserver('fragment').entered('f', ['users#2']);
    const stamp = a.clock.stamp();
    const { body } = await ask('POST', '/purge', { patterns: ['users#*'], wait: true });
    expect(body).toMatchObject({ keys: 2, workers: 2 });
    const verdicts = ['users#1', 'users#2', 'posts#1'].map((key) =>
      a.clock.judge(a.clock.slotsOf([key]), stamp),
    );
    expect(verdicts).toEqual(['purged', 'purged', 'valid']);
    expect((await ask('POST', '/purge', { patterns: ['nothing*'] })).body).toEqual({ keys: 0 });
  });

  it('answers 504 and names the worker that has not applied it', async () => {
    await worker('a');
    const stopped = await worker('the-stopped-one');
    stopped.stop();
    const { status, body } = await ask('POST', '/purge', { keys: ['users#17'], wait: true, timeoutMs: 50 });
    expect(status).toBe(504);
    expect(body).toMatchObject({ seq: 1, keys: 1, workers: 1, missing: ['the-stopped-one'] });
  });

  it('asks another worker when the one it asked dies, and answers 503 when there is none', async () => {
    const [dying, other] = [await worker('dying'), await worker('other')];
    dying.stop();
    const answer = ask('POST', '/purge', { keys: ['users#17'], wait: true, timeoutMs: 30_000 });
    setTimeout(() => dying.die(), 20);
    expect(await answer).toMatchObject({ status: 200, body: { seq: 1, workers: 1 } });
    other.die();
    expect(await ask('POST', '/purge', { keys: ['a'] })).toMatchObject({
      status: 503,
      body: { error: expect.stringContaining('no worker') },
    });
  });

  it.each([
    ['no body', undefined, 'not JSON'],
    ['no keys', {}, 'names no keys'],
    ['an empty key', { keys: [''] }, 'keys.0'],
    ['a key that is no text', { keys: [7] }, 'keys.0'],
    ['a key that is too long', { keys: ['k'.repeat(20_000)] }, 'keys.0'],
    ['too many keys', { keys: Array.from({ length: MAX_PURGE_KEYS + 1 }, (_, n) => `${n}`) }, 'keys'],
    ['an unknown kind', { keys: ['a'], kind: 'drop' }, 'kind'],
    ['an unknown option', { keys: ['a'], wiat: true }, 'wiat'],
    ['a wait without end', { keys: ['a'], timeoutMs: 1e9 }, 'timeoutMs'],
  ])('refuses %s with 400 and says what is wrong', async (_what, body, said) => {
    await worker('a');
    const answer = await ask('POST', '/purge', body);
    expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining(said) } });
  });

  it('refuses a body that is too large, and a stranger', async () => {
    expect(await raw(JSON.stringify({ keys: ['k'.repeat(MAX_BODY_BYTES)] }))).toBe(413);
    const stranger = { host: '127.0.0.1', port, token: undefined };
    expect((await askOperations(stranger, 'POST', '/purge', { keys: ['a'] })).status).toBe(401);
  });

  it('refuses more calls than it can be meant for, and takes them again a little later', async () => {
    await worker('a');
    const statuses: number[] = [];
    for (let call = 0; call <= BURST; call++)
      statuses.push((await ask('POST', '/purge', { keys: ['a'] })).status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(BURST);
    expect(statuses.at(-1)).toBe(429);
    time.advance(100);
    expect((await ask('POST', '/purge', { keys: ['a'] })).status).toBe(200);
  });

  it('leaves a line of who purged what, whatever came of it', async () => {
    await worker('a');
    await ask('POST', '/purge', { keys: ['users#17'] });
    await ask('POST', '/purge', { keys: [] });
    expect(log).toMatchObject([
      {
        audit: 'purge',
        from: '127.0.0.1',
        kind: 'purge',
        wait: false,
        count: 1,
        keys: ['users#17'],
        status: 200,
      },
      { audit: 'purge', from: '127.0.0.1', status: 400 },
    ]);
  });
});

describe('GET /explain', () => {
  it('asks every worker of the host', async () => {
    const [a] = [await worker('a'), await worker('b')];
    a.dependencies.tierObserver('page').entered('/1', ['users#1']);
    const { status, body } = await ask('GET', '/explain?key=users%231');
    expect(status).toBe(200);
    expect(body).toMatchObject({ workers: [{ pages: ['/1'] }, { pages: [] }] });
    expect((await ask('GET', '/explain?url=/known')).body).toEqual({
      workers: [
        { url: '/known', worker: 'a' },
        { url: '/known', worker: 'b' },
      ],
      why: { of: '/known', asked: 'a' },
    });
  });

  it('says 404 of an address without a page, 400 of no question, 503 without a worker', async () => {
    expect((await ask('GET', '/explain?key=a')).status).toBe(503);
    await worker('a');
    expect((await ask('GET', '/explain?url=/unknown')).status).toBe(404);
    expect((await ask('GET', '/explain')).status).toBe(400);
    expect((await ask('GET', '/explain?url=/a&key=b')).status).toBe(400);
  });
});

describe('GET /rollout', () => {
  it('lists the figures of every worker of the host, and says 503 where there is none', async () => {
    expect((await ask('GET', '/rollout')).status).toBe(503);
    await worker('a');
    await worker('b');
    expect(await ask('GET', '/rollout')).toMatchObject({
      status: 200,
      body: { workers: [{ of: 'a' }, { of: 'b' }] },
    });
  });
});
