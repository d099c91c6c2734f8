import { describe, expect, it } from 'vitest';
import { options, testStack } from '../../../test/support/cache.ts';
import type { FillContext } from '../contract.ts';
import { Cohorts } from './cohorts.ts';
import { parseRollout, Rollout } from './rollout.ts';

const keys = Array.from({ length: 400 }, (_, index) => `k${index}`);

describe('the figures of a rollout', () => {
  it('are kept for what is on in part, and for nothing else', () => {
    expect(Cohorts.of(new Rollout(), undefined)).toBeUndefined();
    expect(Cohorts.of(new Rollout({ l2: 0, l3: 100 }), undefined)).toBeUndefined();
    const some = Cohorts.of(new Rollout({ l1: 50, l2: 0, fragments: 20 }), undefined);
    expect(Object.keys(some?.stats() ?? {})).toEqual(['l1']);
    const own = Cohorts.of(new Rollout({ l1: 50, fragments: 20 }), 'fragments');
    expect(Object.keys(own?.stats() ?? {})).toEqual(['l1', 'fragments']);
  });

  it('tell hits and waits inside from those outside', async () => {
    const { stack, time, filled } = testStack({ rollout: new Rollout({ l1: 25 }) });
    const fill = async (context: FillContext) => {
      time.advance(8);
      return filled('x', context);
    };
    for (let round = 0; round < 4; round++) {
      for (const key of keys) if (stack.peek(key) === undefined) await stack.fetch(key, options, fill);
    }
    const { l1 } = stack.stats().rollout;
    expect(l1?.percent).toBe(25);
    expect((l1?.inside.fetches ?? 0) + (l1?.outside.fetches ?? 0)).toBe(4 * keys.length);
    // Inside each key is rendered the first time only; outside every time.
    expect(l1?.inside).toMatchObject({ hitRate: 0.75, meanMs: 2, p50Ms: 1 / 16, p99Ms: 8 });
    expect(l1?.outside).toMatchObject({ hitRate: 0, hits: 0, meanMs: 8, p50Ms: 8, p99Ms: 8 });
  });

  it('count failures, and leave out what is warmed', async () => {
    const { stack, filled } = testStack({ rollout: new Rollout({ l1: 50 }) });
    const failing = stack.fetch('k', options, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    await stack.fetch('w', { ...options, reason: 'warm' }, async (context) => filled('x', context));
    const { inside, outside } = stack.stats().rollout.l1 ?? expect.fail('no figures');
    expect(inside.failures + outside.failures).toBe(1);
    expect(inside.fetches + outside.fetches).toBe(1);
  });
});

describe('a stack that is itself rolled out', () => {
  it('renders what is outside as if there were no cache, each time, and keeps none of it', async () => {
    const rollout = new Rollout({ fragments: 50 });
    const { stack, filled } = testStack({ rollout, feature: 'fragments' });
    const fill = async (context: FillContext) => filled('x', context);
    for (const key of [...keys, ...keys]) await stack.fetch(key, options, fill);
    const inside = keys.filter((key) => rollout.allows('fragments', key)).length;
    expect(stack.stats()).toMatchObject({ fills: inside + 2 * (keys.length - inside), hitsL1: inside });
    expect(stack.recentKeys(1000)).toHaveLength(inside);
    expect(stack.stats().rollout.fragments?.outside.hitRate).toBe(0);
    expect(stack.stats().rollout.fragments?.inside.hitRate).toBe(0.5);
  });
});

describe('the text of a rollout', () => {
  it('is parts and percentages', () => {
    expect(parseRollout('l2=10,fragments=99.5')).toEqual({ l2: 10, fragments: 99.5 });
  });
});
