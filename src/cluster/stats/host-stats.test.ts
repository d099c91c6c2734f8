import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { silent } from '../../../test/support/silent.ts';
import { boxSnapshot, someCounts, workerSnapshot } from '../../../test/support/snapshots.ts';
import type { BoxSnapshot, WorkerSnapshot } from '../../monitor/snapshot.ts';
import { BoxFigures } from './host-stats.ts';

let clock: ManualClock;
let figures: BoxFigures;
let slots: { slot: number; state: 'serving' | 'dead'; pid: number | undefined }[];
let feedFigures: Record<string, number>;

beforeEach(() => {
  clock = new ManualClock();
  slots = [];
  feedFigures = { published: 5, waiting: 2 };
  const { primary } = boxSnapshot();
  figures = new BoxFigures({
    clock,
    logger: silent,
    box: () => ({
      primary,
      slots: slots.map((slot) => ({ servingMs: 1, deaths: 0, bootFailures: 0, ...slot })),
      feed: { state: 'leading', pid: 1, deaths: 0, figures: feedFigures },
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
    figures.receive(this, { say: 'here' });
  }

  send(): void {
    this.asked++;
    if (!this.stopped) this.answer();
  }

  answer(): void {
    figures.receive(this, { say: 'figures', snapshot: this.says });
  }

  die(): void {
    slots[this.#slot] = { slot: this.#slot, state: 'dead', pid: undefined };
    figures.leave(this);
  }
}

const requests = (box: BoxSnapshot) =>
  box.counts.http.answered.reduce((sum, { durations }) => sum + durations.count, 0);
const OF_ONE = 10_023;

describe('the figures of a box', () => {
  it('are the sum over its workers', async () => {
    new FakeWorker(0);
    new FakeWorker(1);
    const box = await figures.collect();
    expect(box).toMatchObject({ partial: false, missing: [] });
    expect(box.workers.map(({ snapshot }) => snapshot?.slot)).toEqual([0, 1]);
    expect(requests(box)).toBe(2 * OF_ONE);
  });

  it('come at the deadline without the worker that keeps silent, whose last counts stay', async () => {
    new FakeWorker(0);
    const silentOne = new FakeWorker(1);
    await figures.collect();
    silentOne.stopped = true;
    const collecting = figures.collect();
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
      const collecting = figures.collect();
      clock.advance(300);
      expect((await collecting).missing).toEqual([0]);
    }
    expect(silentOne.asked).toBe(1);
    silentOne.answer();
    silentOne.stopped = false;
    expect(await figures.collect()).toMatchObject({ partial: false });
    expect(silentOne.asked).toBe(2);
  });

  it('do not wait for a worker that dies meanwhile', async () => {
    const dying = new FakeWorker(0);
    dying.stopped = true;
    const collecting = figures.collect();
    dying.die();
    expect(await collecting).toMatchObject({ partial: false, tookMs: 0 });
  });

  it('keep what a worker had counted when it died', async () => {
    const dying = new FakeWorker(0);
    const before = await figures.collect();
    dying.die();
    expect((await figures.collect()).counts).toEqual(before.counts);
    new FakeWorker(0);
    expect(requests(await figures.collect())).toBe(2 * OF_ONE);
  });

  it('hear the last word of one that drains', async () => {
    const draining = new FakeWorker(0);
    await figures.collect();
    const { http } = someCounts();
    draining.says = workerSnapshot({
      pid: 1000,
      counts: someCounts({ http: { ...http, shortcut: 99_999 } }),
    });
    draining.answer();
    draining.die();
    expect((await figures.collect()).counts.http.shortcut).toBe(99_999);
  });

  it('are not changed by what is no figures', async () => {
    const broken = new FakeWorker(0);
    broken.says = { pid: 'nonsense' };
    const box = await figures.collect();
    expect(box.workers[0]).toMatchObject({ snapshot: undefined, answered: false });
    expect(box.missing).toEqual([0]);
  });

  it('go on where a feed that died had stopped', async () => {
    expect((await figures.collect()).feed?.figures).toEqual({ published: 5, waiting: 2 });
    feedFigures = { published: 1, waiting: 0 };
    expect((await figures.collect()).feed?.figures).toEqual({ published: 6, waiting: 0 });
    feedFigures = { published: 4, waiting: 0 };
    expect((await figures.collect()).feed?.figures).toMatchObject({ published: 9 });
  });

  it('are asked for regularly, and told to listeners, also when one of them fails', async () => {
    new FakeWorker(0);
    const told: BoxSnapshot[] = [];
    figures.subscribe(() => {
      throw new Error('not today');
    });
    figures.subscribe((box) => told.push(box));
    figures.start();
    for (let turn = 0; turn < 3; turn++) {
      clock.advance(5000);
      await figures.collect();
    }
    expect(told.length).toBe(3);
    figures.close();
    expect(clock.pending).toBe(0);
  });

  it('are asked for once for all who want to know at the same time', async () => {
    const worker = new FakeWorker(0);
    const [one, other] = await Promise.all([figures.collect(), figures.collect()]);
    expect(one).toBe(other);
    expect(worker.asked).toBe(1);
  });
});
