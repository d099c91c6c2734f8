import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallbackTarget } from '../../src/watchers/callback.ts';
import { Delivery } from '../../src/watchers/delivery.ts';
import { Fastly } from '../../src/watchers/fastly.ts';
import type { Batch, Target } from '../../src/watchers/target.ts';
import { Watchers } from '../../src/watchers/watchers.ts';
import { Webhook } from '../../src/watchers/webhook.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/redis.ts';
import { silent } from '../support/silent.ts';
import { Receiver } from './receiver.ts';

const SECRET = 'a-secret-of-sixteen';

class Waiting {
  readonly batches: Batch[] = [];
  readonly told: unknown[] = [];
  async next() {
    return this.batches[0];
  }
  async done(_: string, id: string) {
    if (this.batches[0]?.id === id) this.batches.shift();
  }
  async add(told: readonly unknown[]) {
    this.told.push(...told);
    return false;
  }
  stats() {
    return { dropped: 0 };
  }
  async keepOnly() {
    return 0;
  }
}

let receiver: Receiver;
let url: string;
let time: ManualClock;
let waiting: Waiting;
let deliveries: Delivery[];
beforeEach(async () => {
  receiver = new Receiver();
  url = `http://127.0.0.1:${await receiver.listen()}`;
  time = new ManualClock();
  waiting = new Waiting();
  deliveries = [];
});
afterEach(async () => {
  await Promise.all(deliveries.map((each) => each.close()));
  await receiver.close();
});

function deliver(target: Target, random = () => 0.5): Delivery {
  const delivery = new Delivery({ target, outbox: waiting, clock: time, logger: silent, random });
  deliveries.push(delivery);
  delivery.start();
  return delivery;
}

const batch = (id: string, ...keys: string[]): Batch => ({ id, keys, dropped: 0 });

describe('telling a target', () => {
  it('tries again with the same id, later and later, and only then the next', async () => {
    let refusals = 3;
    receiver.answer = (response) => response.writeHead(refusals-- > 0 ? 500 : 204).end();
    waiting.batches.push(batch('one', 'a'), batch('two', 'a', 'b'));
    const delivery = deliver(new Webhook({ url, secret: SECRET, clock: time }));
    for (const [failures, ceiling] of [
      [1, 200],
      [2, 400],
      [3, 800],
    ] as const) {
      await until(() => delivery.stats().failures === failures);
      time.advance(ceiling / 2 - 1);
      await new Promise((resolve) => setImmediate(resolve));
      expect(receiver.received).toHaveLength(failures);
      time.advance(1);
    }
    await until(() => delivery.stats().told === 2);
    expect(receiver.received.map(({ headers }) => headers['idempotency-key'])).toEqual([
      'one',
      'one',
      'one',
      'one',
      'two',
    ]);
    expect(delivery.stats()).toEqual({ told: 2, keys: 3, failures: 3, failuresInRow: 0 });
  });

  it('comes back when it was told to, not before', async () => {
    receiver.answer = (response) => response.writeHead(429, { 'retry-after': '7' }).end();
    waiting.batches.push(batch('one', 'a'));
    const delivery = deliver(new Webhook({ url, secret: SECRET, clock: time }));
    await until(() => delivery.stats().failures === 1);
    receiver.answer = undefined;
    time.advance(6_999);
    delivery.wake();
    await new Promise((resolve) => setImmediate(resolve));
    expect(receiver.received).toHaveLength(1);
    time.advance(1);
    await until(() => delivery.stats().told === 1);
  });

  it('takes a redirect for a refusal: what was signed for one address goes to no other', async () => {
    receiver.answer = (response) => response.writeHead(302, { location: '/other' }).end();
    waiting.batches.push(batch('one', 'a'));
    const delivery = deliver(new Webhook({ url, secret: SECRET, clock: time }));
    await until(() => delivery.stats().failures === 1);
    expect(receiver.received.map(({ path }) => path)).toEqual(['/']);
  });

  it('stops in the midst of a call that does not end', async () => {
    receiver.answer = () => {};
    waiting.batches.push(batch('one', 'a'));
    const delivery = deliver(new Webhook({ url, secret: SECRET, clock: time }));
    await until(() => receiver.received.length === 1);
    await delivery.close();
    expect(waiting.batches).toHaveLength(1);
  });
});

describe('Fastly', () => {
  const fastly = () => new Fastly({ url: `${url}/service/S`, token: 'T', clock: time });
  const tell = (keys: readonly string[] | undefined) =>
    fastly().tell({ id: 'i', keys, dropped: 0 }, new AbortController().signal);

  it('is told surrogate keys as pages carry them, 256 at most at once', async () => {
    await tell(['users#17', 'a b', 'ü"\\,%', ...Array.from({ length: 300 }, (_, at) => `k${at}`)]);
    expect(receiver.received.map(({ path }) => path)).toEqual(['/service/S/purge', '/service/S/purge']);
    const [first, second] = receiver.received.map(({ headers }) =>
      String(headers['surrogate-key']).split(' '),
    );
    expect(first?.slice(0, 4)).toEqual(['users#17', 'a%20b', '%C3%BC%22%5C%2C%25', 'k0']);
    expect([first?.length, second?.length]).toEqual([256, 47]);
    expect(receiver.received[0]?.headers['fastly-key']).toBe('T');
    expect(receiver.received.map(({ headers }) => headers['idempotency-key'])).toEqual(['i/0', 'i/1']);
  });

  it('is told to drop everything where keys cannot be named', async () => {
    await tell(undefined);
    await tell(['x'.repeat(1025)]);
    expect(receiver.received.map(({ path }) => path)).toEqual([
      '/service/S/purge_all',
      '/service/S/purge_all',
    ]);
  });

  it('keeps a head that proxies pass on', async () => {
    await tell(Array.from({ length: 100 }, (_, at) => `${'k'.repeat(400)}${at}`));
    for (const { headers } of receiver.received)
      expect(String(headers['surrogate-key']).length).toBeLessThan(8200);
    expect(receiver.received.length).toBeGreaterThan(4);
  });
});

describe('a watcher of the application', () => {
  it('is called with what it watches for; what it throws is a refusal', async () => {
    const seen: unknown[] = [];
    const target = new CallbackTarget(
      'w',
      'posts#*',
      ({ id, keys, everything }) => {
        seen.push([id, keys, everything]);
        if (seen.length === 1) throw new Error('not now');
      },
      time,
    );
    waiting.batches.push(batch('one', 'posts#1'), { id: 'all', keys: undefined, dropped: 5 });
    const delivery = deliver(target);
    await until(() => delivery.stats().failures === 1);
    time.advance(100);
    await until(() => delivery.stats().told === 2);
    expect(seen).toEqual([
      ['one', ['posts#1'], false],
      ['one', ['posts#1'], false],
      ['all', [], true],
    ]);
  });

  it('that does not end is given up, told so, and called again', async () => {
    let aborted = 0;
    const target = new CallbackTarget(
      'w',
      '*',
      ({ signal }) => {
        signal.addEventListener('abort', () => aborted++);
        return new Promise<void>(() => {});
      },
      time,
    );
    waiting.batches.push(batch('one', 'a'));
    const delivery = deliver(target);
    await new Promise((resolve) => setImmediate(resolve));
    time.advance(30_000);
    await until(() => delivery.stats().failures === 1);
    expect(aborted).toBe(1);
  });
});

describe('the watchers', () => {
  it('are told what looks like their pattern; marks are nobody’s business', async () => {
    const target = (name: string, pattern: string): Target => ({ name, pattern, tell: async () => {} });
    const targets = [target('all', '*'), target('posts', 'posts#*')];
    const watchers = new Watchers({ targets, outbox: waiting, clock: time, logger: silent, random: () => 0 });
    await watchers.add(['users#1', '@schema', '@mark:1']);
    await watchers.add(['@mark:2']);
    await watchers.add(['posts#2', 'posts@rows']);
    await watchers.add(undefined);
    expect(waiting.told).toEqual([
      { target: 'all', keys: ['users#1', '@schema'] },
      { target: 'all', keys: ['posts#2', 'posts@rows'] },
      { target: 'posts', keys: ['posts#2'] },
      { target: 'all', keys: undefined },
      { target: 'posts', keys: undefined },
    ]);
  });
});
