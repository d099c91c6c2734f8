import { expect, test } from 'vitest';
import { matchesTag } from './conditional.ts';

test.each(['"a"', 'W/"a"', '"x", "a"', '"x" , W/"a",', '*', ' * ', ', "a"', '"a,b", "a"'])(
  '%s names "a"',
  (header) => {
    expect(matchesTag(header, '"a"')).toBe(true);
  },
);

test.each(['', '"b"', 'a', 'w/"a"', '"a', 'a"', '"x", a', '"a,b"', '**', '"A"', 'W/ "a"'])(
  '%s does not name "a"',
  (header) => {
    expect(matchesTag(header, '"a"')).toBe(false);
  },
);

test('a long list of nonsense costs no time', () => {
  expect(matchesTag(`${'"a", '.repeat(3000)}x`, '"b"')).toBe(false);
  expect(matchesTag(`"${', '.repeat(8000)}`, '"b"')).toBe(false);
});

test('a list longer than any that is meant matches nothing, so the page is sent', () => {
  const list = (count: number) => `${'"other", '.repeat(count)}"tag"`;
  expect(matchesTag(list(100), '"tag"')).toBe(true);
  expect(matchesTag(list(2000), '"tag"')).toBe(false);
});
