import { expect, it } from 'vitest';
import { withoutWords } from './withheld-error.ts';

it('keeps kind, code and place of an error, and of what caused it, and none of their words', () => {
  const cause = new TypeError('marker-1\n    at marker-2 (/marker-3.js:1:1)');
  const error = Object.assign(new RangeError('marker-4', { cause }), {
    code: 'E_QUERY',
    sqlState: 'not a word: marker-5',
  });
  const withheld = withoutWords(error);
  expect(withheld).toMatchObject({ name: 'RangeError', code: 'E_QUERY', cause: { name: 'TypeError' } });
  expect(withheld.stack).toContain('withheld-error.test.ts');
  const all = [withheld, withheld.cause].map((each) =>
    JSON.stringify(each, Object.getOwnPropertyNames(each)),
  );
  expect(all.join()).not.toContain('marker');
});

it.each(['marker', { message: 'marker' }, null, undefined, 7n])(
  'what is no error loses everything: %s',
  (thrown) => {
    expect(JSON.stringify(withoutWords(thrown), Object.getOwnPropertyNames(new Error()))).not.toContain(
      'marker',
    );
  },
);

it('a message that was changed after the stack was made leaves no stack', () => {
  const error = new Error('marker');
  error.message = 'another';
  expect(withoutWords(error).stack).not.toContain('marker');
});
