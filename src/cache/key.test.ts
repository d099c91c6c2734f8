import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonical } from './canonical.ts';
import { fragmentKey, type PageKeyParts, pageKey } from './key.ts';

const text = fc.string({ unit: 'binary', maxLength: 12 });
const leaf = fc.oneof(
  text,
  fc.double(),
  fc.bigInt(),
  fc.boolean(),
  fc.constantFrom(null, undefined, 0, -0, Number.NaN, '0', '1', 1, 1n, true, 'true', 'null', 'undefined'),
  fc.date(),
  fc.uint8Array({ maxLength: 6 }),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(text, tie('value'), { maxKeys: 3 }),
  ),
}));
const record = fc.dictionary(fc.constantFrom('a', 'b', '"', ',', '', 'a"b'), value, { maxKeys: 3 });
const parts: fc.Arbitrary<PageKeyParts> = fc.record({
  build: fc.constantFrom('b1', 'b2', ''),
  page: fc.constantFrom('/', '/users/[id]', '/"'),
  params: record,
  query: record,
  variants: fc.dictionary(fc.constantFrom('accept-language', 'x'), text, { maxKeys: 2 }),
});

/** The same value with the properties of every object in the opposite order. */
function reordered(of: unknown): unknown {
  if (Array.isArray(of)) return of.map(reordered);
  if (typeof of !== 'object' || of === null || of instanceof Date || of instanceof Uint8Array) return of;
  return Object.fromEntries(
    Object.entries(of)
      .reverse()
      .map(([name, field]) => [name, reordered(field)]),
  );
}

function same(a: unknown, b: unknown): boolean {
  try {
    expect(a).toStrictEqual(b);
    return true;
  } catch {
    return false;
  }
}

describe('a page key', () => {
  it('differs when anything differs that the page can see, and only then', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        // The prototypes of what the generator makes differ; what the page sees does not depend on them.
        expect(pageKey(a) === pageKey(b)).toBe(same(reordered(a), reordered(b)));
      }),
      { numRuns: 3000 },
    );
  });

  it('does not depend on the order of names', () => {
    fc.assert(
      fc.property(parts, (a) => {
        const { build, page, params, query, variants } = a;
        const turned = {
          variants,
          query: reordered(query),
          params: reordered(params),
          page,
          build,
        } as PageKeyParts;
        expect(pageKey(turned)).toBe(pageKey(a));
      }),
    );
  });

  const base: PageKeyParts = { build: 'b', page: '/p', params: {}, query: {}, variants: {} };
  it.each<[string, Partial<PageKeyParts>, Partial<PageKeyParts>]>([
    ['a number and its text', { params: { id: 1 } }, { params: { id: '1' } }],
    ['0 and -0', { query: { n: 0 } }, { query: { n: -0 } }],
    ['null, undefined and absent', { query: { n: null } }, { query: { n: undefined } }],
    ['undefined and absent', { query: { n: undefined } }, { query: {} }],
    ['a value in params and in query', { params: { a: 'x' } }, { query: { a: 'x' } }],
    ['a list and its text', { query: { a: ['x'] } }, { query: { a: '["x"]' } }],
    ['lone surrogates', { params: { a: '\ud800' } }, { params: { a: '\ud801' } }],
    ['long values', { params: { a: `${'x'.repeat(9000)}1` } }, { params: { a: `${'x'.repeat(9000)}2` } }],
    ['a date and its number', { params: { a: new Date(5) } }, { params: { a: 5 } }],
    ['a name that holds a separator', { query: { 'a":1,"b': 1 } }, { query: { a: 1, b: 1 } }],
  ])('tells %s apart', (_, a, b) => {
    expect(pageKey({ ...base, ...a })).not.toBe(pageKey({ ...base, ...b }));
  });

  it('is short however much it names, and never meets a plain key', () => {
    const long = pageKey({ ...base, params: { a: 'x'.repeat(10_000) } });
    expect(long).toMatch(/^#[\w-]{43}$/);
    expect(pageKey({ ...base, page: long })).not.toBe(long);
    expect(fragmentKey({ build: 'b', name: long, key: 1 })).not.toBe(long);
  });

  it('is never a fragment key', () => {
    expect(fragmentKey({ build: 'b', name: '/p', key: {} })).not.toBe(pageKey(base));
  });

  it.each([
    ['a function', () => {}],
    ['a symbol', Symbol('s')],
    ['a Map', new Map()],
    ['an instance', new URL('http://x')],
  ])('refuses %s and says where it is', (_, bad) => {
    expect(() => pageKey({ ...base, query: { deep: [{ a: bad }] } })).toThrow(
      expect.objectContaining({ code: 'E_KEY_VALUE', message: expect.stringContaining('query.deep[0].a') }),
    );
  });

  it('refuses a cycle, and takes the same object twice', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(() => canonical(cycle)).toThrow(/cycle/);
    const twice = { a: 1 };
    expect(canonical([twice, twice])).toBe('[{"a":1},{"a":1}]');
  });
});
