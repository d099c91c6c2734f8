import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { silent } from '../../../test/support/silent.ts';
import type { ClockState } from '../clock/clock-state.ts';
import { Lease } from '../clock/lease.ts';
import type { Purge } from './bus.ts';
import { PurgeFollower, type PurgeSource } from './follower.ts';

const purge = (seq: number, epoch = 'e'): Purge => ({
  epoch,
  seq,
  kind: 'purge',
  keys: [`k${seq}`],
  committedMs: undefined,
});

/** A source that keeps no purges, only the clock, as the relay of a host; each load of the clock waits to be let through. */
function alone() {
  const clock = new ManualClock();
  let seq = 0;
  let epoch = 'e';
  let loads = 0;
  let isElsewhere = false;
  let letThrough: (() => void)[] = [];
  const source: PurgeSource = {
    readState: async () => ({ epoch, seq, freshMs: 1000, isElsewhere }),
    readSince: async () => undefined,
    readClock: async () => {
      loads++;
      const state: ClockState = { epoch, seq, purged: new Uint32Array(1), expired: new Uint32Array(1) };
      await new Promise<void>((resolve) => letThrough.push(resolve));
      return state;
    },
  };
  const lease = new Lease(clock, 1000);
  const follower = new PurgeFollower({
    source,
    clock,
    lease,
    logger: silent,
    readEveryMs: 250,
    needsFresh: true,
    newEpoch: () => 'private',
  });
  const position: string[] = [];
  follower.subscribe({
    purge: ({ keys }) => position.push(...keys),
    reset: (of, at) => position.push(`reset ${of} ${at}`),
  });
  const turns = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    follower,
    position,
    lease,
    loads: () => loads,
    /** Said, and heard unless it is lost. */
    say: (heard = true) => {
      seq++;
      if (heard) follower.heard(purge(seq, epoch));
    },
    speakOfAnother: (another: boolean) => {
      isElsewhere = another;
    },
    beginEpoch: (name: string) => {
      epoch = name;
      seq = 0;
    },
    load: async () => {
      await turns();
      const all = letThrough;
      letThrough = [];
      for (const resolve of all) resolve();
      await turns();
    },
  };
}

describe('PurgeFollower', () => {
  it('tells after the clock what it heard while it was loaded, so that one load is enough', async () => {
    const { follower, position, lease, loads, say, load } = alone();
    const started = follower.start();
    await load();
    await started;
    say(false);
    say();
    // Now a hole is known, and the clock is being read. The stream goes on meanwhile.
    await new Promise((resolve) => setImmediate(resolve));
    say();
    say();
    await load();
    say();
    await load();
    expect(position).toEqual(['reset e 0', 'reset e 2', 'k3', 'k4', 'k5']);
    expect(loads()).toBe(2);
    expect(lease.trusted).toBe(true);
    await follower.close();
  });

  it('tells nothing of an epoch that is over, and leaves no hole', async () => {
    const { follower, position, say, beginEpoch, load } = alone();
    const started = follower.start();
    await load();
    await started;
    say(false);
    say();
    beginEpoch('f');
    say();
    await load();
    expect(position).toEqual(['reset e 0', 'reset f 1']);
    say();
    expect(position.at(-1)).toBe('k2');
    await follower.close();
  });

  it('trusts nothing while the purge stream is about another database, and loads the clock when it is about ours', async () => {
    const { follower, position, lease, load, speakOfAnother } = alone();
    const first = follower.read();
    await load();
    await first;
    expect(lease.trusted).toBe(true);
    speakOfAnother(true);
    await follower.read();
    expect(lease.trusted).toBe(false);
    expect(position).toEqual(['reset e 0', 'reset private 0']);
    speakOfAnother(false);
    const again = follower.read();
    await load();
    await again;
    expect(position).toEqual(['reset e 0', 'reset private 0', 'reset e 0']);
  });
});
