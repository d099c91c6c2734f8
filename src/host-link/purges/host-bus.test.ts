import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/redis.ts';
import { silent } from '../../../test/support/silent.ts';
import { systemClock } from '../../core/clock.ts';
import { CONTRACT_SLOTS, describeBus } from '../../invalidation/bus/bus.contract.ts';
import { follow } from '../../invalidation/bus/follow.ts';
import { PurgeClock } from '../../invalidation/clock/clock.ts';
import { Lease } from '../../invalidation/clock/lease.ts';
import { HostBus } from './host-bus.ts';
import { HostRelay } from './host-relay.ts';

const READ_EVERY_MS = 50;
const DEGRADED_TTL_MS = 150;

function relayIn(folder: string): HostRelay {
  return new HostRelay({
    folder,
    clock: systemClock,
    logger: silent,
    newEpoch: randomUUID,
    slots: CONTRACT_SLOTS,
  });
}

let workers = 0;

/** A worker whose line is like that of the cluster: structured, asynchronous, in order, and breakable. */
async function worker(
  relay: HostRelay,
  { needsFresh = false, name = `w${workers++}`, readEveryMs = READ_EVERY_MS } = {},
) {
  let hear: (body: unknown) => void = () => {};
  let broken = false;
  const pass = (body: unknown, to: (body: unknown) => void) => {
    const copy = JSON.stringify(body);
    setImmediate(() => !broken && to(JSON.parse(copy)));
  };
  const member = { send: (body: unknown) => pass(body, hear) };
  const line = {
    send: (body: unknown) => pass(body, (copy) => relay.receive(member, copy)),
    onMessage: (handler: (body: unknown) => void) => {
      hear = handler;
    },
  };
  const lease = new Lease(systemClock, 2 * readEveryMs);
  const bus = new HostBus({
    newEpoch: randomUUID,
    line,
    lease,
    needsFresh,
    member: name,
    degradedTtlMs: DEGRADED_TTL_MS,
    clock: systemClock,
    logger: silent,
    readEveryMs,
    slots: CONTRACT_SLOTS,
  });
  const clock = new PurgeClock({
    epoch: 'none',
    slots: CONTRACT_SLOTS,
    onAhead: (stamp) => bus.saw(stamp),
  });
  follow(bus, clock, randomUUID);
  await bus.start();
  const breakLine = (now: boolean) => {
    broken = now;
  };
  return { bus, lease, clock, line, breakLine };
}

const folders: string[] = [];
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'box-bus-'));
  folders.push(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describeBus('BoxBus', async () => {
  const relay = relayIn(newFolder());
  const joined: HostBus[] = [];
  const breakers = new Map<HostBus, (now: boolean) => void>();
  return {
    async join(name) {
      const { bus, breakLine } = await worker(relay, { ...(name === undefined ? {} : { name }) });
      joined.push(bus);
      breakers.set(bus, breakLine);
      return bus;
    },
    stop: (bus) => joined.find((each) => each === bus && breakers.get(each)?.(true)),
    async close() {
      await Promise.all(joined.map((bus) => bus.close()));
      await relay.close();
    },
  };
});

describe('BoxRelay', () => {
  let folder: string;
  beforeEach(() => {
    folder = newFolder();
  });

  it('goes on with its epoch after a stop in order, so that what lies on disk may be trusted', async () => {
    const relay = relayIn(folder);
    const before = await worker(relay);
    const stamp = before.clock.stamp();
    const { seq } = await before.bus.publish(['users#17'], 'purge');
    await before.bus.close();
    await relay.close();

    const after = await worker(relayIn(folder));
    expect(after.clock.epoch).toBe(stamp.epoch);
    expect(after.clock.seq).toBe(seq);
    expect(after.clock.judge(after.clock.slotsOf(['users#17']), stamp)).toBe('purged');
    expect(after.clock.judge(after.clock.slotsOf(['users#18']), stamp)).toBe('valid');
    await after.bus.close();
  });

  it('begins a new epoch after an end without order', async () => {
    const first = relayIn(folder);
    const before = await worker(first);
    await before.bus.close();
    await first.close();
    // Killed: it never saves, and its own start has taken the file of the first away.
    const killed = await worker(relayIn(folder));
    await killed.bus.publish(['users#17'], 'purge');
    await killed.bus.close();
    const after = await worker(relayIn(folder));
    expect(after.clock.epoch).not.toBe(before.clock.epoch);
    await after.bus.close();
  });

  it('begins a new epoch when the saved clock is older than an entry on disk: the folder was put back', async () => {
    const first = relayIn(folder);
    const early = await worker(first);
    await early.bus.publish(['users#17'], 'purge');
    await early.bus.close();
    await first.close();
    const old = readFileSync(join(folder, 'purge-clock'));
    const second = relayIn(folder);
    const later = await worker(second);
    await later.bus.publish(['users#17'], 'purge');
    await until(() => later.clock.seq === 2);
    const stamp = later.clock.stamp();
    await later.bus.close();
    await second.close();

    writeFileSync(join(folder, 'purge-clock'), old);
    const after = await worker(relayIn(folder));
    expect(after.clock).toMatchObject({ epoch: stamp.epoch, seq: 1 });
    // It finds the entry, which has seen more than the clock.
    after.clock.judge(after.clock.slotsOf(['users#17']), stamp);
    await until(() => after.clock.epoch !== stamp.epoch);
    await after.bus.close();
  });

  it('begins a new epoch when the saved clock is damaged', async () => {
    writeFileSync(join(folder, 'purge-clock'), 'CPC1 but not really');
    const after = await worker(relayIn(folder));
    expect(after.clock.epoch).not.toBe('none');
    await after.bus.close();
  });

  it('says at the start that DATA_DIR cannot be written, and survives that it cannot be later', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'file'), '');
    expect(() => relayIn(join(folder, 'file', 'data'))).toThrow(
      expect.objectContaining({ code: 'E_DATA_DIR', message: expect.stringContaining('DATA_DIR') }),
    );
    const inner = join(folder, 'data');
    const relay = relayIn(inner);
    rmSync(inner, { recursive: true });
    const said: unknown[] = [];
    relay.receive({ send: (body) => said.push(body) }, { ask: 'clock', id: 1 });
    expect(said).toEqual([]);
    await relay.close();
  });

  it('tells its workers of a new epoch at once, not with their next reading', async () => {
    const relay = relayIn(newFolder());
    const [one, other] = [
      await worker(relay, { readEveryMs: 600_000 }),
      await worker(relay, { readEveryMs: 600_000 }),
    ];
    const before = other.clock.epoch;
    await one.bus.beginEpoch();
    await until(() => other.clock.epoch !== before);
    expect(other.clock.epoch).toBe(one.clock.epoch);
    await Promise.all([one.bus.close(), other.bus.close()]);
    await relay.close();
  });

  it('drops what is not of its protocol', async () => {
    const relay = relayIn(folder);
    const sent: unknown[] = [];
    for (const body of [
      null,
      'purge',
      {},
      { ask: 'publish', id: 1, keys: [1], kind: 'purge' },
      { ask: 'fresh' },
    ]) {
      relay.receive({ send: (answer) => sent.push(answer) }, body);
    }
    expect(sent).toEqual([]);
    await relay.close();
  });
});

describe('BoxBus', () => {
  it('stops being trusted when the primary falls silent, and again trusted only after it has caught up', async () => {
    const relay = relayIn(newFolder());
    const [a, b] = [await worker(relay), await worker(relay)];
    await until(() => b.lease.trusted);
    b.breakLine(true);
    const stamp = b.clock.stamp();
    const { seq } = await a.bus.publish(['users#17'], 'purge');
    await until(() => !b.lease.trusted);
    b.breakLine(false);
    await until(() => b.lease.trusted);
    expect(b.clock.seq).toBeGreaterThanOrEqual(seq);
    expect(b.clock.judge(b.clock.slotsOf(['users#17']), stamp)).toBe('purged');
    await Promise.all([a.bus.close(), b.bus.close()]);
    await relay.close();
  });

  it('is not trusted while the feed has not vouched for the log', async () => {
    const relay = relayIn(newFolder());
    const [reader, feed] = [await worker(relay, { needsFresh: true }), await worker(relay)];
    expect(reader.lease.trustedUntil).toBe(Number.NEGATIVE_INFINITY);
    await feed.bus.setFresh(300);
    await until(() => reader.lease.trusted);
    await until(() => !reader.lease.trusted);
    await Promise.all([reader.bus.close(), feed.bus.close()]);
    await relay.close();
  });

  it('answers at once who waits for a purge, not with the next reading', async () => {
    const relay = relayIn(newFolder());
    const slow = { readEveryMs: 60_000 };
    const [a, b] = [await worker(relay, slow), await worker(relay, slow)];
    const published = await a.bus.publish(['users#17'], 'purge');
    expect(await a.bus.applied(published, { timeoutMs: 20_000 })).toEqual({ workers: 2, missing: [] });
    expect(b.clock.seq).toBe(published.seq);
    await Promise.all([a.bus.close(), b.bus.close()]);
    await relay.close();
  });

  it('leaves the list of acknowledgements when it closes', async () => {
    const relay = relayIn(newFolder());
    // So slow that nobody would be taken for silent within this test.
    const slow = { readEveryMs: 60_000 };
    const [a, b] = [await worker(relay, slow), await worker(relay, slow)];
    await b.bus.close();
    const published = await a.bus.publish(['users#17'], 'purge');
    expect(await a.bus.applied(published, { timeoutMs: 20_000 })).toEqual({ workers: 1, missing: [] });
    await a.bus.close();
    await relay.close();
  });

  it('begins a new epoch on request: everything older is suspect', async () => {
    const relay = relayIn(newFolder());
    const { bus, clock } = await worker(relay);
    await until(() => clock.epoch !== 'none');
    const stamp = clock.stamp();
    await bus.beginEpoch();
    await until(() => clock.epoch !== stamp.epoch);
    expect(clock.judge(clock.slotsOf(['users#17']), stamp)).toBe('purged');
    await bus.close();
    await relay.close();
  });
});
