import { describe, expect, it } from 'vitest';
import { CONTRACT_SLOTS, describeBus } from '../../invalidation/bus/bus.contract.ts';
import type { Purge } from '../../invalidation/bus/bus.ts';
import { follow } from '../../invalidation/bus/follow.ts';
import { PurgeClock } from '../../invalidation/clock/clock.ts';
import { LocalBus } from './local-bus.ts';

const epochs = () => {
  let count = 0;
  return () => `e${++count}`;
};

describeBus('LocalBus', async () => {
  const bus = new LocalBus({ newEpoch: epochs(), slots: CONTRACT_SLOTS });
  return { join: async () => bus, close: () => bus.close(), oneProcess: true };
});

describe('the bus of one process', () => {
  const followed = (bus: LocalBus) => {
    const clock = new PurgeClock({ epoch: 'none', slots: 1024 });
    follow(bus, clock, () => 'broken');
    return clock;
  };

  it('has applied a purge everywhere before the publisher hears of it', async () => {
    const bus = new LocalBus({ newEpoch: epochs(), slots: 1024 });
    const clocks = [followed(bus), followed(bus)];
    const { seq } = await bus.publish(['a'], 'purge');
    expect(clocks.map((clock) => clock.seq)).toEqual([seq, seq]);
  });

  it('begins a new epoch before the numbers end, and the purge that did it is not lost', async () => {
    const bus = new LocalBus({ newEpoch: epochs(), slots: 1024, lastSeq: 2 });
    const clock = followed(bus);
    await bus.publish(['a'], 'purge');
    await bus.publish(['a'], 'purge');
    const old = clock.stamp();
    expect(await bus.publish(['b'], 'purge')).toEqual({ epoch: 'e2', seq: 1 });
    expect(clock.stamp()).toEqual({ epoch: 'e2', seq: 1 });
    expect(clock.judge(clock.slotsOf(['z']), old)).toBe('purged');
    expect(clock.judge(clock.slotsOf(['b']), { epoch: 'e2', seq: 0 })).toBe('purged');
  });

  it('goes on after a restart where it was, and does not when its memory is damaged', async () => {
    const bus = new LocalBus({ newEpoch: epochs(), slots: 1024 });
    await bus.publish(['a'], 'purge');
    const snapshot = bus.save();
    const again = new LocalBus({ newEpoch: () => 'fresh', slots: 1024, snapshot });
    const clock = followed(again);
    expect(clock.stamp()).toEqual({ epoch: 'e1', seq: 1 });
    expect(clock.judge(clock.slotsOf(['a']), { epoch: 'e1', seq: 0 })).toBe('purged');
    const damaged = snapshot.subarray(0, 99);
    expect(() => new LocalBus({ newEpoch: epochs(), slots: 1024, snapshot: damaged })).toThrow(
      /saved purge clock/,
    );
  });

  it('carries keys of any text, and a purge of no key', async () => {
    const bus = new LocalBus({ newEpoch: epochs(), slots: 1024 });
    const heard: Purge[] = [];
    bus.subscribe({ purge: (purge) => heard.push(purge), reset: () => {} });
    const keys = ['', 'ü', '日本', '"\n\u0000', 'x'.repeat(10_000)];
    await bus.publish(keys, 'purge');
    await bus.publish([], 'expire');
    expect(heard.map((purge) => [purge.kind, purge.keys])).toEqual([
      ['purge', keys],
      ['expire', []],
    ]);
  });

  it('a clock that finds a hole trusts nothing it holds', () => {
    const clock = new PurgeClock({ epoch: 'e1', slots: 1024 });
    const holey = {
      publish: async () => ({ epoch: 'e1', seq: 0 }),
      close: async () => {},
      subscribe: (listener: Parameters<LocalBus['subscribe']>[0]) => {
        listener.reset('e1', 0, undefined);
        listener.purge({ epoch: 'e1', seq: 2, kind: 'purge', keys: ['a'] });
        return () => {};
      },
    };
    const before = clock.stamp();
    follow(holey, clock, () => 'suspect');
    expect(clock.epoch).toBe('suspect');
    expect(clock.judge(clock.slotsOf(['z']), before)).toBe('purged');
  });
});
