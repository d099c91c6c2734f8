import { describe, expect, it } from 'vitest';
import { entryOf } from '../../../test/support/cache.ts';
import { seeded } from '../../../test/support/chaos-tier.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { PurgeClock } from '../../invalidation/clock/clock.ts';
import type { FragmentEntry } from '../entry.ts';
import { page } from '../shared/tier.contract.ts';
import { Doorkeeper } from './admission.ts';
import { MemoryTier, type MemoryTierOptions } from './memory.ts';
import { weighFragment, weighPage } from './weight.ts';

function memoryOf(options: Partial<MemoryTierOptions<FragmentEntry>> = {}) {
  const clock = new ManualClock();
  const validity = new PurgeClock({ epoch: 'e1', slots: 1024 });
  const memory = new MemoryTier({
    clock,
    validity,
    weigh: weighFragment,
    maxBytes: 100_000,
    maxGroupShare: 1,
    ...options,
  });
  const entry = (length: number, keys: string[] = []) =>
    entryOf('x'.repeat(length), { stamp: validity.stamp() }, clock, { keys });
  return { clock, validity, memory, entry };
}

describe('L1', () => {
  it('stays within its bytes, whatever comes', () => {
    const { memory, entry } = memoryOf();
    const random = seeded(7);
    for (let index = 0; index < 3000; index++) {
      memory.set(`k${Math.floor(random() * 500)}`, entry(random() * 9000), `g${index % 3}`);
      expect(memory.stats().bytes).toBeLessThanOrEqual(100_000);
    }
    expect(memory.stats().evictions).toBeGreaterThan(100);
  });

  it.each([-3_600_000, -30_000, -1, 3_600_000])(
    'serves an entry no longer for it when the wall clock jumps by %i ms',
    (jumpMs) => {
      const { memory, entry, clock } = memoryOf();
      clock.jump(jumpMs);
      memory.set('k', entry(10), 'g');
      clock.advance(30_000);
      expect(memory.fresh('k')).toBeDefined();
      clock.jump(-jumpMs);
      clock.advance(29_999);
      if (jumpMs > 0) expect(memory.fresh('k')).toBeDefined();
      clock.advance(1);
      expect(memory.fresh('k')).toBeUndefined();
    },
  );

  it('does not take what was made before the wall clock was set back for fresh', () => {
    const { memory, entry, clock } = memoryOf();
    const made = entry(10);
    clock.jump(-3_600_000);
    memory.set('k', made, 'g');
    expect(memory.fresh('k')).toBeUndefined();
    expect(memory.get('k')).toBeUndefined();
  });

  it('weighs headers, dependency keys and the key itself', () => {
    const plain = page(0, { headers: [], keys: [] });
    const light = weighPage('k', plain);
    expect(weighPage('k'.repeat(501), plain) - light).toBe(500);
    expect(weighPage('k', { ...plain, headers: [['link', 'x'.repeat(1000)]] }) - light).toBeGreaterThan(1000);
    expect(weighPage('k', { ...plain, keys: ['y'.repeat(1000)] }) - light).toBeGreaterThan(1000);
    expect(weighPage('k', { ...plain, gzip: Buffer.alloc(1000) }) - light).toBeGreaterThan(1000);
    expect(weighPage('ü'.repeat(10), plain)).toBe(weighPage('x'.repeat(10), plain));
    expect(weighPage('日'.repeat(10), plain) - weighPage('x'.repeat(10), plain)).toBe(10);
  });

  it('drops what was wanted least recently', () => {
    const { memory, entry } = memoryOf({ maxBytes: 10_000, maxEntryBytes: 9000 });
    for (const key of ['a', 'b', 'c']) memory.set(key, entry(2000), 'g');
    memory.fresh('a');
    memory.set('d', entry(4000), 'g');
    expect(['a', 'b', 'c', 'd'].filter((key) => memory.fresh(key))).toEqual(['a', 'c', 'd']);
  });

  it('stays out of what is too large, and drops what that would replace', () => {
    const { memory, entry } = memoryOf({ maxEntryBytes: 5000 });
    memory.set('k', entry(10), 'g');
    expect(memory.set('k', entry(5000), 'g')).toBe(false);
    expect(memory.fresh('k')).toBeUndefined();
    expect(memory.stats()).toMatchObject({ tooLarge: 1, entries: 0, bytes: 0 });
  });

  it('lets one group have its share and no more, evicting of that group what was not read', () => {
    const { memory, entry } = memoryOf({ maxBytes: 100_000, maxGroupShare: 0.3 });
    for (let index = 0; index < 15; index++) memory.set(`other${index}`, entry(1000), 'other');
    const others = memory.stats().bytes;
    memory.set('hot', entry(1000), 'crawled');
    for (let index = 0; index < 1000; index++) {
      memory.set(`crawled${index}`, entry(1000), 'crawled');
      memory.fresh('hot');
    }
    expect(memory.fresh('hot')).toBeDefined();
    for (let index = 0; index < 15; index++) expect(memory.fresh(`other${index}`)).toBeDefined();
    expect(memory.stats().bytes).toBeLessThanOrEqual(30_000 + others);
    expect(memory.stats().groupEvictions).toBeGreaterThan(900);
  });

  it('an expired late-comer does not take the place of what was made after the expire', () => {
    const { memory, entry, validity } = memoryOf();
    const late = { ...entry(10, ['a']), staleUntilMs: Number.POSITIVE_INFINITY };
    validity.apply(1, ['a'], 'expire');
    const after = entry(20, ['a']);
    memory.set('k', after, 'g');
    expect(memory.set('k', late, 'g')).toBe(false);
    expect(memory.fresh('k')?.value).toBe(after);
  });

  it('refuses what was purged since its stamp, and keeps what it has', () => {
    const { memory, entry, validity } = memoryOf();
    const late = entry(10, ['a']);
    validity.apply(1, ['a'], 'purge');
    const after = entry(20, ['a']);
    memory.set('k', after, 'g');
    expect(memory.set('k', late, 'g')).toBe(false);
    expect(memory.fresh('k')?.value).toBe(after);
  });

  it('forgets entirely: bytes are 0 when empty', () => {
    const { memory, entry } = memoryOf();
    for (let index = 0; index < 50; index++) memory.set(`k${index}`, entry(100), 'g');
    for (let index = 0; index < 50; index++) memory.delete(`k${index}`);
    expect(memory.stats()).toMatchObject({ entries: 0, bytes: 0 });
  });
});

describe('the doorkeeper', () => {
  /** A working set that fits, and as many addresses that come once each. */
  function hitRate(options: Partial<MemoryTierOptions<FragmentEntry>>): number {
    const { memory, entry } = memoryOf({ ...options, maxBytes: 300_000 });
    const random = seeded(3);
    let hits = 0;
    for (let index = 0; index < 20_000; index++) {
      const key = index % 2 === 0 ? `hot${Math.floor(random() ** 2 * 400)}` : `once${index}`;
      if (memory.fresh(key) !== undefined) hits++;
      else if (memory.get(key) === undefined) memory.set(key, entry(500), 'g');
    }
    return hits / 20_000;
  }

  it('keeps addresses that come once from displacing those that come again', () => {
    expect(hitRate({ admission: new Doorkeeper() })).toBeGreaterThan(hitRate({}) * 1.2);
  });

  it('does not matter before memory is full, and lets in what was asked for twice', () => {
    const { memory, entry } = memoryOf({
      admission: new Doorkeeper(),
      maxBytes: 10_000,
      maxEntryBytes: 9000,
    });
    expect(memory.set('a', entry(4000), 'g')).toBe(true);
    expect(memory.set('b', entry(4000), 'g')).toBe(true);
    memory.get('c');
    expect(memory.set('c', entry(4000), 'g')).toBe(false);
    memory.get('other');
    memory.get('c');
    expect(memory.set('c', entry(4000), 'g')).toBe(true);
    expect(memory.stats().notAdmitted).toBe(1);
  });

  it('forgets keys of long ago', () => {
    const door = new Doorkeeper(1024);
    door.missed('k', 0);
    for (let index = 0; index < 3000; index++) door.missed(`x${index}`, 0);
    door.missed('k', 0);
    expect(door.admits('k')).toBe(false);
  });
});
