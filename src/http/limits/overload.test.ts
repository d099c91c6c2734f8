import { describe, expect, it } from 'vitest';
import { LogLines } from '../../../test/support/log-lines.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { Overload, type Signs } from './overload.ts';

const WELL: Signs = { loopDelayP99Ms: 2, loopUtilization: 0.4, heap: 0.3 };

function watch() {
  const clock = new ManualClock();
  const log = new LogLines();
  let signs = WELL;
  let looks = 0;
  const overload = new Overload({
    clock,
    log,
    limits: { loopDelayMs: 200, loopUtilization: 0.95 },
    senses: { look: () => signs, close: () => {} },
    onLook: () => looks++,
  });
  const feel = (seconds: number, felt: Partial<Signs>) => {
    signs = { ...WELL, ...felt };
    for (let second = 0; second < seconds; second++) clock.advance(1000);
    return overload.overloadLevel;
  };
  return { clock, log, overload, feel, looks: () => looks };
}

describe('what a worker feels of an overload', () => {
  it('is nothing while all is well', () => {
    expect(watch().feel(10, {})).toBe('none');
  });

  it.each([
    ['a late loop', { loopDelayP99Ms: 201 }, 'shed'],
    ['a busy loop', { loopUtilization: 0.96 }, 'stale'],
    ['a heap that fills up', { heap: 0.9 }, 'stale'],
    ['a heap that is nearly full', { heap: 0.96 }, 'shed'],
  ] as const)(
    'is believed of %s after three looks, and over at the first that is well',
    (_, felt, overloadLevel) => {
      const { feel } = watch();
      expect(feel(2, felt)).toBe('none');
      expect(feel(1, felt)).toBe(overloadLevel);
      expect(feel(1, {})).toBe('none');
    },
  );

  it('is not believed of single bad seconds', () => {
    const { feel } = watch();
    for (let time = 0; time < 5; time++) {
      feel(2, { loopDelayP99Ms: 900 });
      expect(feel(1, {})).toBe('none');
    }
  });

  it('is told once when it comes, once when it goes, and at every look to what holds work back', () => {
    const { feel, log, looks } = watch();
    feel(6, { loopDelayP99Ms: 900 });
    feel(2, {});
    const told = log.lines.filter(({ message }) => message.includes('overload level'));
    expect(told).toHaveLength(2);
    expect(looks()).toBe(8);
  });

  it('is looked for no longer once it is closed', () => {
    const { clock, overload } = watch();
    overload.close();
    expect(clock.pending).toBe(0);
  });

  it('is felt in this very process', () => {
    const clock = new ManualClock();
    const overload = new Overload({
      clock,
      log: new LogLines(),
      limits: { loopDelayMs: 200, loopUtilization: 0.95 },
    });
    clock.advance(1000);
    const { heap, loopUtilization } = overload.stats();
    expect(heap).toBeGreaterThan(0);
    expect(heap).toBeLessThan(1);
    expect(loopUtilization).toBeGreaterThanOrEqual(0);
    overload.close();
  });
});
