import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { looksLike } from './pattern.ts';

const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.', '#') });

describe('a pattern', () => {
  it('means what a regular expression of it means', () => {
    fc.assert(
      fc.property(text, text, (key, pattern) => {
        const parts = pattern.split('*').map((part) => part.replace(/[.#]/g, '\\$&'));
        expect(looksLike(key, pattern)).toBe(new RegExp(`^${parts.join('[^]*')}$`).test(key));
      }),
      { numRuns: 5_000 },
    );
  });

  it('is soon done with a key that nearly fits, however many stars it has', () => {
    expect(looksLike('a'.repeat(10_000), `${'*a'.repeat(20)}*b`)).toBe(false);
  });
});
