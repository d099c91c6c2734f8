import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LAST_SEQ, PurgeClock } from './clock.ts';
import { DEFAULT_SLOTS, slotOf } from './slots.ts';

const clockOf = (slots = 4096) => new PurgeClock({ epoch: 'e1', slots });
const judge = (clock: PurgeClock, keys: string[], stamp = clock.stamp()) =>
  clock.judge(clock.slotsOf(keys), stamp);

describe('the purge clock', () => {
  it('calls an entry purged if and only if one of its keys was purged after its stamp', () => {
    const clock = clockOf();
    const before = clock.stamp();
    clock.apply(1, ['users#1'], 'purge');
    const after = clock.stamp();
    expect(judge(clock, ['users#1', 'users#2'], before)).toBe('purged');
    expect(judge(clock, ['users#2'], before)).toBe('valid');
    expect(judge(clock, ['users#1'], after)).toBe('valid');
    expect(judge(clock, [], before)).toBe('valid');
  });

  it('tells expired from purged, and purged wins', () => {
    const clock = clockOf();
    const before = clock.stamp();
    clock.apply(1, ['a', 'b'], 'expire');
    expect(judge(clock, ['a'], before)).toBe('expired');
    clock.apply(2, ['b'], 'purge');
    expect(judge(clock, ['a', 'b'], before)).toBe('purged');
    clock.apply(3, ['b'], 'expire');
    expect(judge(clock, ['b'], before)).toBe('purged');
  });

  it('refuses a hole and ignores a repeat, applying nothing of either', () => {
    const clock = clockOf();
    const before = clock.stamp();
    expect(clock.apply(2, ['a'], 'purge')).toBe('gap');
    expect(clock.apply(1, ['b'], 'purge')).toBe('applied');
    expect(clock.apply(1, ['a'], 'purge')).toBe('old');
    expect(clock.seq).toBe(1);
    expect(judge(clock, ['a'], before)).toBe('valid');
  });

  it('knows nothing of another epoch, so its stamps read as purged', () => {
    const clock = clockOf();
    const before = clock.stamp();
    clock.beginEpoch('e2', 5);
    expect(judge(clock, [], before)).toBe('purged');
    expect(clock.stamp()).toEqual({ epoch: 'e2', seq: 5 });
    expect(judge(clock, ['a'])).toBe('valid');
  });

  it('moves its version with every purge and epoch, also back to the same number', () => {
    const clock = clockOf();
    const versions = [clock.version];
    clock.apply(1, [], 'purge');
    versions.push(clock.version);
    clock.beginEpoch('e2', 1);
    versions.push(clock.version);
    expect(new Set(versions).size).toBe(3);
  });

  it('takes stamps ahead of itself: another worker was quicker', () => {
    const clock = clockOf();
    clock.apply(1, ['a'], 'purge');
    expect(judge(clock, ['a'], { epoch: 'e1', seq: 3 })).toBe('valid');
    clock.apply(2, ['a'], 'purge');
    expect(judge(clock, ['a'], { epoch: 'e1', seq: 3 })).toBe('valid');
  });

  it('reads slots it does not have as purged', () => {
    expect(clockOf(16).judge([17], { epoch: 'e1', seq: 99 })).toBe('purged');
  });

  it('says when its numbers come to an end', () => {
    const clock = clockOf(16);
    expect(clock.nearEnd).toBe(false);
    clock.beginEpoch('e2', LAST_SEQ);
    expect(clock.nearEnd).toBe(true);
    expect(clock.apply(LAST_SEQ + 1, ['a'], 'purge')).toBe('applied');
    expect(judge(clock, ['a'], { epoch: 'e2', seq: LAST_SEQ })).toBe('purged');
  });

  it('comes back from its bytes as it was', () => {
    const clock = clockOf(64);
    const before = clock.stamp();
    clock.apply(1, ['a'], 'purge');
    clock.apply(2, ['b'], 'expire');
    const again = new PurgeClock({ epoch: 'other', slots: 64 });
    again.restore(clock.save());
    expect(again.stamp()).toEqual({ epoch: 'e1', seq: 2 });
    expect(judge(again, ['a'], before)).toBe('purged');
    expect(judge(again, ['b'], before)).toBe(judge(clock, ['b'], before));
    expect(again.apply(3, ['c'], 'purge')).toBe('applied');
  });

  it('refuses damaged bytes and stays as it was', () => {
    const clock = clockOf(64);
    clock.apply(1, ['a'], 'purge');
    const saved = clock.save();
    const stamp = clock.stamp();
    for (let at = 0; at < saved.length; at++) {
      const damaged = Buffer.from(saved);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
      expect(() => clock.restore(damaged), `byte ${at}`).toThrow(
        expect.objectContaining({ code: 'E_CLOCK_SNAPSHOT' }),
      );
      expect(() => clock.restore(saved.subarray(0, at))).toThrow();
    }
    expect(() => clockOf(128).restore(saved)).toThrow(/64 slots instead of 128/);
    expect(clock.stamp()).toBe(stamp);
  });

  it('never calls an entry valid that was purged after its stamp, whatever the history', () => {
    const keys = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const history = fc.array(
      fc.tuple(fc.array(keys, { maxLength: 3 }), fc.constantFrom('purge' as const, 'expire' as const)),
    );
    fc.assert(
      fc.property(
        history,
        fc.array(keys, { maxLength: 4 }),
        fc.nat(30),
        fc.constantFrom(1, 2, 4096),
        (purges, own, seq, slots) => {
          const clock = clockOf(slots);
          for (const [index, [purged, kind]] of purges.entries()) clock.apply(index + 1, purged, kind);
          const later = purges.slice(seq).filter(([purged]) => purged.some((key) => own.includes(key)));
          const verdict = judge(clock, own, { epoch: 'e1', seq });
          if (later.some(([, kind]) => kind === 'purge')) expect(verdict).toBe('purged');
          else if (later.length > 0) expect(verdict).not.toBe('valid');
          // Few slots are shared: then a needless render, and only with many slots is the verdict exact.
          else if (slots === 4096) expect(verdict).toBe('valid');
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('slots', () => {
  it('are part of the wire contract and must not change', () => {
    expect(
      ['', 'users#17', 'posts.user_id=17', 'users@rows', 'weather:Zürich', '日本#1'].map((key) =>
        slotOf(key, DEFAULT_SLOTS),
      ),
    ).toMatchInlineSnapshot(`
      [
        949259,
        400547,
        292751,
        170544,
        841882,
        549880,
      ]
    `);
  });

  it('spread keys that differ in a digit', () => {
    const taken = new Set<number>();
    for (let id = 0; id < 100_000; id++) taken.add(slotOf(`users#${id}`, DEFAULT_SLOTS));
    // By chance 100,000 keys in 2^20 slots take 95,372.
    expect(taken.size).toBeGreaterThan(95_000);
  });

  it('are the same before and after a way through UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (key) => {
        expect(slotOf(Buffer.from(key, 'utf8').toString('utf8'), DEFAULT_SLOTS)).toBe(
          slotOf(key, DEFAULT_SLOTS),
        );
      }),
    );
    expect(slotOf('\ud800', DEFAULT_SLOTS)).toBe(slotOf('\ufffd', DEFAULT_SLOTS));
  });

  it('of a list that was changed since are not those that it had', () => {
    const clock = new PurgeClock({ epoch: 'e' });
    const keys = ['users#1'];
    clock.slotsOf(keys);
    keys[0] = 'users#2';
    expect([...clock.slotsOf(keys)]).toEqual([slotOf('users#2', DEFAULT_SLOTS)]);
  });

  it('of a frozen list are worked out once, however often in a row it comes', () => {
    const clock = new PurgeClock({ epoch: 'e' });
    const [first, second] = [Object.freeze(['users#1']), Object.freeze(['users#2'])];
    expect(clock.slotsOf(first)).toBe(clock.slotsOf(first));
    expect([...clock.slotsOf(second)]).toEqual([slotOf('users#2', DEFAULT_SLOTS)]);
    expect([...clock.slotsOf(first)]).toEqual([slotOf('users#1', DEFAULT_SLOTS)]);
  });
});
