import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestRedis, testRedis, until } from '../../../test/support/redis.ts';
import { silent } from '../../../test/support/silent.ts';
import { TcpProxy } from '../../../test/support/tcp-proxy.ts';
import { systemClock } from '../../core/clock.ts';
import { JUST_BEGUN } from '../bus/acknowledgements.ts';
import { CONTRACT_SLOTS, describeBus } from '../bus/bus.contract.ts';
import { follow } from '../bus/follow.ts';
import { PurgeClock } from '../clock/clock.ts';
import { Lease } from '../clock/lease.ts';
import { RedisBus } from './redis-bus.ts';

const READ_EVERY_MS = 50;
const DEGRADED_TTL_MS = 150;

let redis: TestRedis;
let fleets = 0;
beforeAll(async () => {
  redis = await testRedis();
});
afterAll(() => redis.close());

interface Member {
  readonly bus: RedisBus;
  readonly lease: Lease;
  readonly clock: PurgeClock;
  /** Both ways to Redis go through proxies, so that a test can break one of them. */
  readonly commandWay: TcpProxy;
  readonly channelWay: TcpProxy;
  readonly subscriber: Redis;
  close(): Promise<void>;
}

async function member(
  prefix: string,
  { needsFresh = false, slots = CONTRACT_SLOTS, name = `w${fleets++}`, readEveryMs = READ_EVERY_MS } = {},
): Promise<Member> {
  const target = { path: `${redis.folder}/redis.sock` };
  const [commandWay, channelWay] = [await TcpProxy.to(target), await TcpProxy.to(target)];
  const commands = new Redis({
    host: '127.0.0.1',
    port: commandWay.port,
    commandTimeout: 1000,
    enableOfflineQueue: false,
    lazyConnect: true,
    maxRetriesPerRequest: 1,
    retryStrategy: () => 20,
  });
  const subscriber = new Redis({
    host: '127.0.0.1',
    port: channelWay.port,
    maxRetriesPerRequest: null,
    retryStrategy: () => 20,
  });
  for (const client of [commands, subscriber]) client.on('error', () => {});
  await commands.connect();
  const lease = new Lease(systemClock, 2 * readEveryMs);
  let epochs = 0;
  const unique = `${prefix.replace(/\W/g, '')}-${commandWay.port}`;
  const bus = new RedisBus({
    commands,
    subscriber,
    prefix,
    lease,
    slots,
    needsFresh,
    member: name,
    degradedTtlMs: DEGRADED_TTL_MS,
    clock: systemClock,
    logger: silent,
    newEpoch: () => `${unique}-${epochs++}`,
    readEveryMs,
  });
  const clock = new PurgeClock({ epoch: 'unknown', slots });
  follow(bus, clock, () => `unknown-${epochs++}`);
  await bus.start();
  const close = async () => {
    await bus.close();
    await Promise.all([commandWay.close(), channelWay.close()]);
  };
  return { bus, lease, clock, commandWay, channelWay, subscriber, close };
}

describeBus('RedisBus', async () => {
  const prefix = `contract${fleets++}:`;
  const members: Member[] = [];
  return {
    async join(name) {
      const joined = await member(prefix, { ...(name === undefined ? {} : { name }) });
      members.push(joined);
      return joined.bus;
    },
    stop(bus) {
      const stopped = members.find((each) => each.bus === bus);
      stopped?.commandWay.silence();
      stopped?.channelWay.silence();
    },
    async close() {
      await Promise.all(members.map((each) => each.close()));
    },
  };
});

describe('RedisBus under faults', () => {
  let prefix: string;
  let a: Member;
  let b: Member;
  beforeEach(async () => {
    prefix = `faults${fleets++}:`;
    a = await member(prefix);
    b = await member(prefix);
    await until(() => a.lease.trusted && b.lease.trusted && a.clock.epoch === b.clock.epoch);
    await until(async () => (await redis.admin.pubsub('NUMSUB', `{${prefix}bus}:purges`))[1] === 2);
  });
  afterEach(async () => {
    await Promise.all([a.close(), b.close()]);
  });

  it('finds a message that was silently lost by the next reading', async () => {
    b.channelWay.silence();
    const stamp = b.clock.stamp();
    const { seq } = await a.bus.publish(['users#17'], 'purge');
    await until(() => b.clock.seq >= seq);
    expect(b.clock.judge(b.clock.slotsOf(['users#17']), stamp)).toBe('purged');
    expect(b.bus.stats().gapsMended).toBe(1);
  });

  it('loads the whole clock where the stream no longer reaches back', async () => {
    b.channelWay.silence();
    b.commandWay.silence();
    const stamp = b.clock.stamp();
    const { seq } = await a.bus.publish(['users#17'], 'purge');
    await redis.admin.del(`{${prefix}bus}:stream`);
    const loads = b.bus.stats().clockLoads;
    b.commandWay.cut();
    b.commandWay.silence(false);
    await until(() => b.clock.seq >= seq);
    expect(b.bus.stats().clockLoads).toBeGreaterThan(loads);
    expect(b.clock.judge(b.clock.slotsOf(['users#17']), stamp)).toBe('purged');
    expect(b.clock.judge(b.clock.slotsOf(['users#18']), stamp)).toBe('valid');
  });

  it('stops trusting within one term when its connection goes silent, and trusts again when it is back', async () => {
    b.commandWay.silence();
    b.channelWay.silence();
    await until(() => !b.lease.trusted);
    // The others are not touched by it.
    await until(() => a.lease.trusted);
    expect(b.lease.trusted).toBe(false);
    const { seq } = await a.bus.publish(['users#1'], 'purge');
    b.commandWay.silence(false);
    b.commandWay.cut();
    b.channelWay.silence(false);
    b.channelWay.cut();
    await until(() => b.lease.trusted);
    // Trust returns only after what was missed has been applied.
    expect(b.clock.seq).toBeGreaterThanOrEqual(seq);
  });

  it('begins a new epoch, which makes every entry suspect, when Redis was flushed by a person', async () => {
    const stamp = b.clock.stamp();
    await redis.admin.flushall();
    await until(() => a.clock.epoch !== stamp.epoch && b.clock.epoch !== stamp.epoch);
    await until(() => a.clock.epoch === b.clock.epoch);
    expect(b.clock.judge(b.clock.slotsOf(['users#17']), stamp)).toBe('purged');
  });

  it('begins a new epoch when the state was written by another run of the server', async () => {
    const stamp = b.clock.stamp();
    await redis.admin.hset(`{${prefix}bus}:state`, 'run', 'the-primary-that-was-lost');
    await until(() => b.clock.epoch !== stamp.epoch && a.clock.epoch === b.clock.epoch);
  });

  it('publishes again, under the new epoch, what it had published under the lost one', async () => {
    await a.bus.publish(['users#17'], 'purge');
    // Another server takes over: it has begun an epoch, and somebody rendered in it, before our purge was heard there.
    await redis.admin.hset(`{${prefix}bus}:state`, 'run', 'the-primary-that-was-lost');
    await until(() => a.clock.epoch === b.clock.epoch && b.clock.seq === 0);
    const stamp = b.clock.stamp();
    const { seq } = await a.bus.publish(['unrelated'], 'purge');
    // The number that comes back covers both, so that whoever waits for it waits for what was lost, too.
    await until(() => b.clock.seq >= seq);
    expect(b.clock.judge(b.clock.slotsOf(['users#17']), stamp)).toBe('purged');
  });

  it('does not take a worker for absent whom it has merely forgotten in a loss of everything', async () => {
    const forgetful = `forgetful${fleets++}:`;
    // A term of two seconds: the first question comes within it, also on a busy machine.
    const asker = await member(forgetful, { readEveryMs: 1000 });
    const silenced = await member(forgetful, { readEveryMs: 1000 });
    try {
      await until(() => asker.lease.trusted && silenced.lease.trusted);
      silenced.commandWay.silence();
      silenced.channelWay.silence();
      await redis.admin.flushall();
      const published = await asker.bus.publish(['users#17'], 'purge');
      const { missing } = await asker.bus.applied(published, { timeoutMs: 20 });
      expect(missing).toEqual([JUST_BEGUN]);
      expect((await asker.bus.applied(published, { timeoutMs: 20_000 })).missing).toEqual([]);
      expect(silenced.lease.trusted).toBe(false);
    } finally {
      await Promise.all([asker.close(), silenced.close()]);
    }
  });

  it('waits in the new epoch for what the old one may have lost', async () => {
    const published = await a.bus.publish(['users#17'], 'purge');
    await redis.admin.hset(`{${prefix}bus}:state`, 'run', 'the-primary-that-was-lost');
    await until(() => a.clock.epoch === b.clock.epoch && b.clock.epoch !== published.epoch);
    const stamp = b.clock.stamp();
    expect(await a.bus.applied(published, { timeoutMs: 5000 })).toEqual({ workers: 2, missing: [] });
    expect(b.clock.judge(b.clock.slotsOf(['users#17']), stamp)).toBe('purged');
  });

  it('forgets a worker that has been silent for long', async () => {
    await redis.admin.hset(`{${prefix}bus}:members`, 'long-gone', `1000 0 e`);
    await a.bus.applied(await a.bus.publish(['a'], 'purge'), { timeoutMs: 5000 });
    expect(await redis.admin.hexists(`{${prefix}bus}:members`, 'long-gone')).toBe(0);
  });

  it.each([
    '',
    'hello',
    '{"keys":[]}',
    'e 1 purge [1]',
    'e 1 purge ["a"',
    `e 0 purge ["a"]`,
    `e 1 drop ["a"]`,
    `e 1 purge ${'x'.repeat(2_000_000)}`,
  ])('refuses a message that is not ours (%#)', async (text) => {
    const before = b.clock.seq;
    await redis.admin.publish(`{${prefix}bus}:purges`, text);
    await until(() => b.bus.stats().messagesRefused === 1);
    const { seq } = await a.bus.publish(['users#1'], 'purge');
    await until(() => b.clock.seq >= seq);
    expect(b.clock.seq).toBe(before + 1);
  });

  it('skips no purge for foreign messages that bear the numbers to come', async () => {
    const { epoch, seq } = b.clock;
    for (let next = 1; next <= 20; next++) {
      const text = `${epoch} ${seq + next} purge ["users#1"]`;
      await redis.admin.publish(`{${prefix}bus}:purges`, text);
      await redis.admin.publish(`{${prefix}bus}:purges`, `${'0'.repeat(40)} ${text}`);
    }
    await until(() => b.bus.stats().messagesRefused === 40);
    const stamp = b.clock.stamp();
    expect(stamp).toEqual({ epoch, seq });
    const published = await a.bus.publish(['users#17'], 'purge');
    expect(published).toEqual({ epoch, seq: seq + 1 });
    await until(() => b.clock.seq === published.seq);
    expect(b.clock.judge(b.clock.slotsOf(['users#17']), stamp)).toBe('purged');
  });

  it('begins a new epoch when a message was believed that was never counted', async () => {
    const { epoch, seq } = b.clock;
    // Who can read the secret can sign.
    const secret = await redis.admin.hget(`{${prefix}bus}:state`, 'secret');
    for (let next = 1; next <= 20; next++) {
      const text = `${epoch} ${seq + next} purge ["users#1"]`;
      const hash = createHash('sha1').update(`${secret}${text}`).digest('hex');
      await redis.admin.publish(`{${prefix}bus}:purges`, `${hash} ${text}`);
    }
    await until(() => b.clock.epoch !== epoch && a.clock.epoch === b.clock.epoch);
  });

  it.each([
    ['said twice', (text: string) => [text, text]],
    ['said again later', (text: string, earlier: string) => [text, earlier]],
    ['of another epoch', (text: string) => [text.replace(/^(\w+ )\S+/, '$1other-epoch')]],
  ])('applies every purge once, in order, whatever is %s', async (_, forge) => {
    const heard: string[] = [];
    a.subscriber.on('message', (__, text: string) => heard.push(text));
    await a.bus.publish(['first'], 'purge');
    await until(() => heard.length === 1);
    await a.bus.publish(['second'], 'purge');
    await until(() => heard.length === 2);
    const [earlier = '', later = ''] = heard;
    const { epoch } = b.clock;
    for (const text of forge(later, earlier)) await redis.admin.publish(`{${prefix}bus}:purges`, text);
    const stamp = b.clock.stamp();
    const { seq } = await a.bus.publish(['users#17'], 'purge');
    await until(() => b.clock.seq === seq);
    expect(b.clock.epoch).toBe(epoch);
    expect(b.clock.judge(b.clock.slotsOf(['users#17']), stamp)).toBe('purged');
  });

  it('does not believe a forged number: it reads the truth instead', async () => {
    await redis.admin.publish(`{${prefix}bus}:purges`, `${b.clock.epoch} 4000000000 purge ["users#1"]`);
    const { seq } = await a.bus.publish(['users#2'], 'purge');
    await until(() => b.clock.seq >= seq);
    expect(b.clock.seq).toBe(seq);
  });

  it('rejects a publish when Redis cannot be reached, and takes it when it is back', async () => {
    a.commandWay.refuse();
    await expect(a.bus.publish(['users#1'], 'purge')).rejects.toMatchObject({ code: 'E_BUS_UNAVAILABLE' });
    a.commandWay.refuse(false);
    await until(() => a.lease.trusted);
    await until(() =>
      a.bus.publish(['users#1'], 'purge').then(
        () => true,
        () => false,
      ),
    );
  });

  it('refuses a key that would not fit', async () => {
    await expect(a.bus.publish(['k'.repeat(20_000)], 'purge')).rejects.toMatchObject({
      code: 'E_KEY_TOO_LONG',
    });
  });
});

describe('a wait for a purge', () => {
  it('is over at once also where the purge itself went missing on its way to a worker', async () => {
    const prefix = `slow${fleets++}:`;
    const slow = { readEveryMs: 60_000 };
    const [a, b] = [await member(prefix, slow), await member(prefix, slow)];
    try {
      await until(async () => (await redis.admin.pubsub('NUMSUB', `{${prefix}bus}:purges`))[1] === 2);
      await redis.admin.hset(`{${prefix}bus}:members`, '@since', 1);
      b.channelWay.silence();
      const published = await a.bus.publish(['users#17'], 'purge');
      await until(() => a.clock.seq === published.seq);
      b.channelWay.silence(false);
      expect(b.clock.seq).toBeLessThan(published.seq);
      expect(await a.bus.applied(published, { timeoutMs: 20_000 })).toEqual({ workers: 2, missing: [] });
      expect(b.clock.seq).toBe(published.seq);
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
  });

  it('is not for a worker that has closed', async () => {
    const prefix = `slow${fleets++}:`;
    const slow = { readEveryMs: 60_000 };
    const [a, b] = [await member(prefix, slow), await member(prefix, slow)];
    try {
      await redis.admin.hset(`{${prefix}bus}:members`, '@since', 1);
      await b.bus.close();
      const published = await a.bus.publish(['users#17'], 'purge');
      expect(await a.bus.applied(published, { timeoutMs: 20_000 })).toEqual({ workers: 1, missing: [] });
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
  });

  it('is answered at once, not with the next reading', async () => {
    const prefix = `slow${fleets++}:`;
    const [a, b] = [
      await member(prefix, { readEveryMs: 60_000 }),
      await member(prefix, { readEveryMs: 60_000 }),
    ];
    try {
      await until(async () => (await redis.admin.pubsub('NUMSUB', `{${prefix}bus}:purges`))[1] === 2);
      await redis.admin.hset(`{${prefix}bus}:members`, '@since', 1);
      const published = await a.bus.publish(['users#17'], 'purge');
      expect(await a.bus.applied(published, { timeoutMs: 20_000 })).toEqual({ workers: 2, missing: [] });
      expect(b.clock.seq).toBe(published.seq);
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
  });
});

describe('the freshness of the feed', () => {
  it('is not vouched for anew by a command that waited in a stopped server', async () => {
    const prefix = `late${fleets++}:`;
    const reader = await member(prefix, { needsFresh: true });
    const feed = await member(prefix);
    try {
      await until(() => feed.lease.trusted);
      await feed.bus.setFresh(400);
      await until(() => reader.lease.trusted);
      // As a stopped server would: every write waits, far longer than what was said holds.
      await redis.admin.call('CLIENT', 'PAUSE', '700', 'WRITE');
      await feed.bus.setFresh(200);
      await until(() => !reader.lease.trusted);
      const [, untilMs = '0'] = String(await redis.admin.hget(`{${prefix}bus}:state`, 'fresh')).split(' ');
      expect(Number(untilMs)).toBeLessThan(Number((await redis.admin.time())[0]) * 1000 + 1000);
    } finally {
      await Promise.all([reader.close(), feed.close()]);
    }
  });

  it('is part of the lease: it lapses when the feed falls silent', async () => {
    const prefix = `fresh${fleets++}:`;
    const reader = await member(prefix, { needsFresh: true });
    const feed = await member(prefix);
    try {
      await until(() => feed.lease.trusted);
      expect(reader.lease.trustedUntil).toBe(Number.NEGATIVE_INFINITY);
      await feed.bus.setFresh(300);
      await until(() => reader.lease.trusted);
      await until(() => !reader.lease.trusted);
    } finally {
      await Promise.all([reader.close(), feed.close()]);
    }
  });
});
