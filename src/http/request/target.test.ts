import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTarget } from './target.ts';

const piece = fc.constantFrom(
  '/',
  '//',
  '.',
  '..',
  '%2e',
  '%2F',
  '%5c',
  '\\',
  'a',
  '%41',
  '%',
  '%00',
  '?',
  'x=1',
  '#',
  ':',
  '@',
  ';',
  'http://',
  '\t',
  'ü',
);
const target = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));

test('whatever comes has one reading: what it is sent to is itself read as it stands', () => {
  fc.assert(
    fc.property(target, (raw) => {
      const first = parseTarget(raw, 'a.test');
      if (first.kind !== 'elsewhere') return;
      expect(first.location).toMatch(/^\/(?!\/)/);
      expect(parseTarget(first.location, 'a.test').kind).toBe('target');
    }),
    { numRuns: 5000 },
  );
});

test('no reading climbs out of the site or holds what a file system or proxy could read otherwise', () => {
  fc.assert(
    fc.property(target, (raw) => {
      const read = parseTarget(raw, 'a.test');
      if (read.kind !== 'target') return;
      for (const segment of read.segments) {
        expect(['', '.', '..']).not.toContain(segment);
        expect(
          [...segment].every((char) => char > '\x1f' && char !== '\x7f' && char !== '/' && char !== '\\'),
        ).toBe(true);
      }
    }),
    { numRuns: 5000 },
  );
});
