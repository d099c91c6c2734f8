import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readJson } from './json-text.ts';

test('every value that JSON can say is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
      const text = JSON.stringify(value, undefined, 1);
      // A generated object may have a member of this name.
      fc.pre(!text.includes('__proto__'));
      expect(readJson(text)).toEqual({ value: JSON.parse(text) });
    }),
    { numRuns: 2000 },
  );
});

test('whatever bytes come, it answers, and takes nothing that JSON.parse refuses', () => {
  const pieces = ['{', '}', '[', ']', '"', '\\', ':', ',', 'a', '1', ' ', 'null', '\\"', '\\u0061'];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 40 }), (parts) => {
      const text = parts.join('');
      const read = readJson(text);
      if (typeof read !== 'string') expect(read.value).toEqual(JSON.parse(text));
    }),
    { numRuns: 5000 },
  );
});

test('a text of quotes and backslashes takes time in proportion to its length', () => {
  const cost = (length: number) => {
    const text = `"${'\\"'.repeat(length)}`;
    const before = process.cpuUsage();
    for (let run = 0; run < 20; run++) readJson(text);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  cost(1000);
  // Eight times the length; what grows with its square would take 64 times as long.
  expect(cost(80_000) / Math.max(cost(10_000), 1)).toBeLessThan(30);
});
