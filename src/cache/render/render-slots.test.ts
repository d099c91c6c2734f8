import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { OverloadLevel } from '../../core/overload-level.ts';
import { type Rank, RenderSlots, type RenderSlotsOptions, type Slot, STANDING_MS } from './render-slots.ts';

/** Slots on a manual clock whose turns of the loop the test takes. */
function slots(options: Partial<RenderSlotsOptions> = {}) {
  const clock = new ManualClock();
  const turns: (() => void)[] = [];
  const made = new RenderSlots({
    clock,
    maxRunning: 2,
    lineMs: 1000,
    nextTurn: (run) => void turns.push(run),
    ...options,
  });
  const enter = (
    signal = new AbortController().signal,
    deadlineMs = Number.POSITIVE_INFINITY,
    rank?: Rank,
  ) => {
    const visitor = { leave: undefined as Slot['leave'] | undefined, refused: undefined as unknown };
    void made.enter(deadlineMs, signal, rank).then(
      (slot) => {
        visitor.leave = slot.leave;
      },
      (error: unknown) => {
        visitor.refused = error;
      },
    );
    return visitor;
  };
  /** One turn of the loop after another, until none is asked for. */
  const turn = async () => {
    await settle();
    for (let run = turns.shift(); run !== undefined; run = turns.shift()) {
      run();
      await settle();
    }
  };
  /** Renders of `ms` each, one after another, while `left` of them wait: then the pace of the line is known. */
  const paced = async (ms: number, renders: number) => {
    const visitors = Array.from({ length: renders }, () => enter());
    for (const visitor of visitors) {
      await turn();
      clock.advance(ms);
      visitor.leave?.();
    }
    await turn();
  };
  return { clock, slots: made, enter, turn, paced };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('slots to render in', () => {
  it('are given to a page of one visitor before those that are kept, and such a page waits for its like alone', async () => {
    const { enter, turn, slots: made } = slots({ maxRunning: 1 });
    const running = enter();
    const shared = Array.from({ length: 3 }, () => enter());
    const personal = enter(undefined, undefined, 'personal');
    await turn();
    expect(made.stats().waiting).toBe(4);
    running.leave?.();
    await turn();
    expect(personal.leave).toBeDefined();
    expect(shared.every(({ leave }) => leave === undefined)).toBe(true);
    personal.leave?.();
    await turn();
    expect(shared[0]?.leave).toBeDefined();
  });

  it('are given at once while there are any, and then in the order in which people came', async () => {
    const { enter, turn } = slots();
    const [first, second, third, fourth] = [enter(), enter(), enter(), enter()];
    await turn();
    expect([first, second, third, fourth].map(({ leave }) => leave !== undefined)).toEqual([
      true,
      true,
      false,
      false,
    ]);
    second?.leave?.();
    await turn();
    expect(third?.leave).toBeDefined();
    expect(fourth?.leave).toBeUndefined();
  });

  it('begin one render in a turn of the loop, so that what has come is read before the next', async () => {
    const turns: (() => void)[] = [];
    const { slots: made, enter } = slots({ maxRunning: 10, nextTurn: (run) => void turns.push(run) });
    enter();
    enter();
    enter();
    await settle();
    expect(made.stats()).toMatchObject({ running: 1, waiting: 2 });
    turns.shift()?.();
    await settle();
    expect(made.stats()).toMatchObject({ running: 2, waiting: 1 });
  });

  it('refuse at once who would have to wait for longer than anybody may', async () => {
    const { slots: made, enter, turn, paced } = slots({ maxRunning: 1 });
    await paced(100, 20);
    const visitors = Array.from({ length: 15 }, () => enter());
    await turn();
    // One renders, and 10 wait for 100 ms each.
    expect(made.stats()).toMatchObject({ running: 1, waiting: 10, shed: { slow: 4 } });
    expect(visitors.at(-1)?.refused).toMatchObject({ code: 'E_OVERLOADED', refusal: 'slow' });
  });

  it('keep the line short once it stands', async () => {
    const { clock, slots: made, enter, turn, paced } = slots({ maxRunning: 1 });
    await paced(100, 20);
    for (let visitor = 0; visitor < 5; visitor++) enter();
    await turn();
    expect(made.overloadLevel).toBe('stale');
    clock.advance(STANDING_MS);
    expect(made.overloadLevel).toBe('shed');
    const late = enter();
    await turn();
    expect(late.refused).toMatchObject({ refusal: 'slow' });
  });

  it('refuse who could not be ready before his deadline', async () => {
    const { clock, enter, turn, paced } = slots({ maxRunning: 1 });
    await paced(100, 20);
    enter();
    await turn();
    const hurried = enter(undefined, clock.monotonic() + 150);
    const patient = enter(undefined, clock.monotonic() + 250);
    await turn();
    expect(hurried.refused).toMatchObject({ refusal: 'deadline' });
    expect(patient.refused).toBeUndefined();
  });

  it('do not begin what those before it have made too late', async () => {
    const { clock, enter, turn, paced } = slots({ maxRunning: 1 });
    await paced(100, 20);
    const slow = enter();
    await turn();
    const hurried = enter(undefined, clock.monotonic() + 250);
    await turn();
    clock.advance(200);
    slow.leave?.();
    await turn();
    expect(hurried.refused).toMatchObject({ refusal: 'deadline' });
  });

  it('let nobody wait beyond the longest wait, whatever the estimate said', async () => {
    const { clock, slots: made, enter, turn } = slots({ maxRunning: 1 });
    enter();
    const second = enter();
    await turn();
    clock.advance(999);
    await turn();
    expect(second.refused).toBeUndefined();
    clock.advance(1);
    await turn();
    expect(second.refused).toMatchObject({ refusal: 'waited' });
    expect(made.stats()).toMatchObject({ waiting: 0, shed: { waited: 1 } });
  });

  it('refuse nobody while there are but a few, however slow all is', async () => {
    const { clock, slots: made, enter, paced } = slots({ maxRunning: 40 });
    await paced(20_000, 9);
    for (let visitor = 0; visitor < 9; visitor++) enter();
    await settle();
    clock.advance(5000);
    const another = enter();
    await settle();
    expect(another.refused).toBeUndefined();
    expect(made.stats()).toMatchObject({ running: 1, waiting: 9, shed: { slow: 0, waited: 0 } });
  });

  it('have a line with an end, also where no estimate is known', async () => {
    const { slots: made, enter, turn } = slots({ maxRunning: 1 });
    for (let visitor = 0; visitor < 40; visitor++) enter();
    await turn();
    expect(made.stats()).toMatchObject({ running: 1, waiting: 32, shed: { full: 7 } });
  });

  it('forget who has gone, and leave no timer behind', async () => {
    const { clock, slots: made, enter, turn } = slots({ maxRunning: 1 });
    const first = enter();
    const gone = new AbortController();
    const second = enter(gone.signal);
    await turn();
    gone.abort(new Error('gone'));
    await turn();
    expect(second.refused).toMatchObject({ message: 'gone' });
    expect(made.stats()).toMatchObject({ waiting: 0, overloadLevel: 'stale' });
    expect(clock.pending).toBe(0);
    first.leave?.();
    first.leave?.();
    expect(made.stats()).toMatchObject({ running: 0, overloadLevel: 'none' });
  });

  it('are fewer while the process itself is overloaded', async () => {
    let overloadLevel: OverloadLevel = 'shed';
    const { slots: made, enter, turn } = slots({ maxRunning: 8, overloadLevel: () => overloadLevel });
    for (let visitor = 0; visitor < 8; visitor++) enter();
    await turn();
    expect(made.stats()).toMatchObject({ running: 2, waiting: 6 });
    overloadLevel = 'none';
    made.enterBehind().leave();
    await turn();
    expect(made.stats()).toMatchObject({ running: 8, waiting: 0 });
  });
});
