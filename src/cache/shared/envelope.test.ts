import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fragmentCodec, pageCodec } from './codec.ts';
import { ENVELOPE_VERSION, open, seal } from './envelope.ts';
import { page } from './tier.contract.ts';

const now = 1_700_000_000_000;
const sealed = (key = 'k') => seal(pageCodec, key, page(now), now, 180_000);

describe('an envelope', () => {
  it('carries times as lengths: another host with another wall clock reads what is left', () => {
    const opened = open(pageCodec, 'k', sealed(), 5_000_000, 180_000 - 10_000);
    // Written ten seconds ago by that count, whatever the clocks say.
    expect(opened).toMatchObject({
      value: { createdMs: 4_990_000, freshUntilMs: 5_050_000, staleUntilMs: 5_110_000 },
    });
  });

  it('is of no use where the store says that it has longer to live than it was given: a clock was set back', () => {
    expect(open(pageCodec, 'k', sealed(), now, 180_000 + 3_600_000)).toEqual({ flaw: 'ageless' });
    expect(open(pageCodec, 'k', sealed(), now, 180_001)).toMatchObject({ value: { createdMs: now } });
  });

  it('is of no use where it was written before it was made: a clock was set back between', () => {
    const bytes = seal(pageCodec, 'k', page(now), now - 3_600_000, 3_780_000);
    expect(open(pageCodec, 'k', bytes, now, 3_780_000)).toEqual({ flaw: 'ageless' });
  });

  it('keeps bodies raw', () => {
    const html = '<p>hello</p>';
    expect(sealed().includes(html)).toBe(true);
    const large = seal(pageCodec, 'k', page(now, { identity: Buffer.alloc(100_000, 1) }), now, 1);
    expect(large.length).toBeLessThan(100_000 + 400);
  });

  it.each([
    ['another version', () => Buffer.from(sealed().fill(ENVELOPE_VERSION + 1, 3, 4)), 'version'],
    ['another kind', () => seal(fragmentCodec, 'k', { ...page(now), html: '' }, now, 1), 'foreign'],
    ['another key', () => sealed('l'), 'key'],
    ['something else', () => Buffer.from('<!doctype html><title>x</title>'), 'foreign'],
    ['more behind it', () => Buffer.concat([sealed(), Buffer.of(0)]), 'truncated'],
  ])('with %s is not opened', (_, make, flaw) => {
    expect(open(pageCodec, 'k', make(), now, 1)).toEqual({ flaw });
  });

  it('never throws and never gives an entry for bytes it did not seal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(open(pageCodec, 'k', Buffer.from(bytes), now, 1)).toHaveProperty('flaw');
      }),
      { numRuns: 2000 },
    );
  });

  it('with any one byte changed is not opened', () => {
    const whole = sealed();
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(whole);
        damaged.writeUInt8(damaged.readUInt8(at) ^ change, at);
        expect(open(pageCodec, 'k', damaged, now, 1)).toHaveProperty('flaw');
      }),
      { numRuns: 2000 },
    );
  });
});
