import { describe, expect, it } from 'vitest';
import { deferred, settled } from '../../../test/support/cache.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { Breaker, type BreakerState } from './breaker.ts';

function breakerOf(probe: () => Promise<unknown>, failuresToOpen = 1) {
  const clock = new ManualClock();
  const states: BreakerState[] = [];
  const breaker = new Breaker({
    clock,
    random: () => 1,
    probe,
    failuresToOpen,
    firstPauseMs: 100,
    maxPauseMs: 400,
    onChange: (state) => states.push(state),
  });
  return { clock, states, breaker };
}

describe('the breaker', () => {
  it('opens after so many failures in a row, and a success in between starts the count anew', () => {
    const { breaker } = breakerOf(async () => {}, 3);
    breaker.failed();
    breaker.failed();
    breaker.succeeded();
    breaker.failed();
    breaker.failed();
    expect(breaker.state).toBe('closed');
    breaker.failed();
    expect(breaker.state).toBe('open');
  });

  it('closes when its own probe is answered; until then nobody is let through', async () => {
    const answer = deferred();
    const { breaker, clock, states } = breakerOf(() => answer.promise);
    breaker.failed();
    clock.advance(99);
    expect(breaker.state).toBe('open');
    clock.advance(1);
    expect(breaker.state).toBe('half-open');
    answer.resolve();
    await settled();
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });

  it('doubles its pause with every failed probe, up to the longest, and begins short again', async () => {
    let well = false;
    const { breaker, clock } = breakerOf(async () => {
      if (!well) throw new Error('down');
    });
    breaker.failed();
    for (const pauseMs of [100, 200, 400, 400]) {
      clock.advance(pauseMs - 1);
      expect(breaker.state).toBe('open');
      if (pauseMs === 400) well = breaker.opened === 4;
      clock.advance(1);
      await settled();
    }
    expect(breaker.state).toBe('closed');
    well = false;
    breaker.failed();
    clock.advance(100);
    expect(breaker.state).toBe('half-open');
  });

  it('counts failures that come in late only once', () => {
    const { breaker } = breakerOf(async () => {});
    breaker.failed();
    breaker.failed();
    breaker.failed();
    expect(breaker.opened).toBe(1);
  });

  it('leaves no timer behind when it is closed down, nor opens again', () => {
    const { breaker, clock } = breakerOf(async () => {});
    breaker.failed();
    breaker.close();
    expect(clock.pending).toBe(0);
  });
});
