import { describe, expect, it } from 'vitest';
import { options, testStack } from '../../../test/support/cache.ts';
import { Rollout } from './rollout.ts';

const keys = Array.from({ length: 20_000 }, (_, index) => `p1"build"/users/${index}`);

describe('a rollout', () => {
  it('is on for all where nothing is said', () => {
    expect(keys.every((key) => new Rollout().allows('l2', key))).toBe(true);
  });

  it.each([0, 1, 25, 50, 99.5, 100])('of %s %% takes that share of the keys', (percent) => {
    const rollout = new Rollout({ l2: percent });
    const share = keys.filter((key) => rollout.allows('l2', key)).length / keys.length;
    expect(Math.abs(share * 100 - percent)).toBeLessThan(1);
  });

  it('keeps who is in when it grows, and choses for each feature anew', () => {
    const [small, large] = [new Rollout({ l2: 10, l3: 10 }), new Rollout({ l2: 40 })];
    const inSmall = keys.filter((key) => small.allows('l2', key));
    expect(inSmall.every((key) => large.allows('l2', key))).toBe(true);
    const inBoth = inSmall.filter((key) => small.allows('l3', key)).length / keys.length;
    expect(Math.abs(inBoth * 100 - 1)).toBeLessThan(0.5);
  });

  it('refuses what is no percentage', () => {
    for (const percent of [-1, 101, Number.NaN])
      expect(() => new Rollout({ l1: percent })).toThrow(/percentage/);
  });

  it('with memory off renders every time, and with refresh off makes the reader wait', async () => {
    const off = testStack({ rollout: new Rollout({ l1: 0, static: 0 }) });
    await off.stack.fetch('k', { ...options, pin: true }, async (context) => off.filled('one', context));
    const again = await off.stack.fetch('k', options, async (context) => off.filled('two', context));
    expect(again).toMatchObject({ result: 'miss', value: { html: 'two' } });
    const waiting = testStack({ rollout: new Rollout({ refresh: 0 }) });
    await waiting.stack.fetch('k', options, async (context) =>
      waiting.filled('one', context, { freshMs: 1, staleMs: 99 }),
    );
    waiting.time.advance(5);
    const fresh = await waiting.stack.fetch('k', options, async (context) => waiting.filled('two', context));
    expect(fresh).toMatchObject({ result: 'miss', value: { html: 'two' } });
  });
});
