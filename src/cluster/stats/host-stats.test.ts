import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { silent } from '../../../test/support/silent.ts';
import { hostSnapshot, someCounts, workerSnapshot } from '../../../test/support/snapshots.ts';
import type { HostSnapshot, WorkerSnapshot } from '../../monitor/snapshot.ts';
import { HostStats } from './host-stats.ts';

let clock: ManualClock;
let stats: HostStats;
let slots: { slot: number; state: 'serving' | 'dead'; pid: number | undefined }[];
let feedStats: Record<string, number>;

beforeEach(() => {
  clock = new ManualClock();
  slots = [];
  feedStats = { published: 5, waiting: 2 };
  const { primary } = hostSnapshot();
  stats = new HostStats({
    clock,
    logger: silent,
    box: () => ({
      primary,
      slots: slots.map((slot) => ({ servingMs: 1, deaths: 0, bootFailures: 0, ...slot })),
      feed: { state: 'leading', pid: 1, deaths: 0, stats: feedStats },
      services: undefined,
    }),
    withinMs: 300,
    everyMs: 5000,
  });
});

/** A worker in a slot. While it is stopped it hears, and says nothing. */
class FakeWorker {
  asked = 0;
  stopped = false;
  says: unknown;
  readonly #slot: number;

  constructor(slot: number, snapshot: Partial<WorkerSnapshot> = {}) {
    this.#slot = slot;
    this.says = workerSnapshot({ slot, pid: 1000 + slot, ...snapshot });
    slots[slot] = { slot, state: 'serving', pid: 1000 + slot };
    stats.receive(this, { say: 'here' });
  }

  send(): void {
    this.asked++;
    if (!this.stopped) this.answer();
  }

  answer(): void {
    stats.receive(this, { say: 'stats', snapshot: this.says });
  }

  die(): void {
    slots[this.#slot] = { slot: this.#slot, state: 'dead', pid: undefined };
    stats.leave(this);
  }
}

const requests = (box: HostSnapshot) =>
  box.counts.http.answered.reduce((sum, { durations }) => sum + durations.count, 0);
const OF_ONE = 10_023;

describe('the figures of a host', () => {
  it('are the sum over its workers', async () => {
    new FakeWorker(0);
    new FakeWorker(1);
    const box = await stats.collect();
    expect(box).toMatchObject({ partial: false, missing: [] });
    expect(box.workers.map(({ snapshot }) => snapshot?.slot)).toEqual([0, 1]);
    expect(requests(box)).toBe(2 * OF_ONE);
  });

  it('come at the deadline without the worker that keeps silent, whose last counts stay', async () => {
    new FakeWorker(0);
    const silentOne = new FakeWorker(1);
    await stats.collect();
    silentOne.stopped = true;
    const collecting = stats.collect();
    clock.advance(299);
    expect(await Promise.race([collecting, Promise.resolve('waiting')])).toBe('waiting');
    clock.advance(1);
    const box = await collecting;
    expect(box).toMatchObject({ partial: true, missing: [1], tookMs: 300 });
    expect(box.workers.map(({ answered }) => answered)).toEqual([true, false]);
    expect(requests(box)).toBe(2 * OF_ONE);
  });

  it('are asked of a silent worker once, however often somebody wants to know', async () => {
    const silentOne = new FakeWorker(0);
    silentOne.stopped = true;
    for (let scrape = 0; scrape < 5; scrape++) {
      const collecting = stats.collect();
      clock.advance(300);
      expect((await collecting).missing).toEqual([0]);
    }
    expect(silentOne.asked).toBe(1);
    silentOne.answer();
    silentOne.stopped = false;
    expect(await stats.collect()).toMatchObject({ partial: false });
    expect(silentOne.asked).toBe(2);
  });

  it('do not wait for a worker that dies meanwhile', async () => {
    const dying = new FakeWorker(0);
    dying.stopped = true;
    const collecting = stats.collect();
    dying.die();
    expect(await collecting).toMatchObject({ partial: false, tookMs: 0 });
  });

  it('keep what a worker had counted when it died', async () => {
    const dying = new FakeWorker(0);
    const before = await stats.collect();
    dying.die();
    expect((await stats.collect()).counts).toEqual(before.counts);
    new FakeWorker(0);
    expect(requests(await stats.collect())).toBe(2 * OF_ONE);
  });

  it('hear the last word of one that drains', async () => {
    const draining = new FakeWorker(0);
    await stats.collect();
    const { http } = someCounts();
    draining.says = workerSnapshot({
      pid: 1000,
      counts: someCounts({ http: { ...http, fastPath: 99_999 } }),
    });
    draining.answer();
    draining.die();
    expect((await stats.collect()).counts.http.fastPath).toBe(99_999);
  });

  it('are not changed by what is no figures', async () => {
    const broken = new FakeWorker(0);
    broken.says = { pid: 'nonsense' };
    const box = await stats.collect();
    expect(box.workers[0]).toMatchObject({ snapshot: undefined, answered: false });
    expect(box.missing).toEqual([0]);
  });

  it('go on where a feed that died had stopped', async () => {
    expect((await stats.collect()).feed?.stats).toEqual({ published: 5, waiting: 2 });
    feedStats = { published: 1, waiting: 0 };
    expect((await stats.collect()).feed?.stats).toEqual({ published: 6, waiting: 0 });
    feedStats = { published: 4, waiting: 0 };
    expect((await stats.collect()).feed?.stats).toMatchObject({ published: 9 });
  });

  it('are asked for regularly, and told to listeners, also when one of them fails', async () => {
    new FakeWorker(0);
    const told: HostSnapshot[] = [];
    stats.subscribe(() => {
      throw new Error('not today');
    });
    stats.subscribe((box) => told.push(box));
    stats.start();
    for (let turn = 0; turn < 3; turn++) {
      clock.advance(5000);
      await stats.collect();
    }
    expect(told.length).toBe(3);
    stats.close();
    expect(clock.pending).toBe(0);
  });

  it('are asked for once for all who want to know at the same time', async () => {
    const worker = new FakeWorker(0);
    const [one, other] = await Promise.all([stats.collect(), stats.collect()]);
    expect(one).toBe(other);
    expect(worker.asked).toBe(1);
  });
});
