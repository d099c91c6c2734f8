import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { pageKey } from '../../cache/key.ts';
import { type Declared, parseInputs } from './inputs.ts';

const declared: Declared = {
  params: { id: z.coerce.number().int().positive() },
  query: { page: z.coerce.number().int().min(1).default(1), q: z.string().max(20).default('') },
  vary: ['x-region'],
};
const header = () => undefined;
const parse = (query: string, id = '7') => parseInputs(declared, { params: { id }, query, header });

describe('the inputs of a page', () => {
  test('are what its schemas make of the parameters it declared, and nothing else', async () => {
    expect(await parse('page=3&q=a+b%21&utm_source=x&__proto__=1')).toEqual({
      params: { id: 7 },
      query: { page: 3, q: 'a b!' },
      headers: { 'x-region': '' },
      variants: {},
    });
  });

  test('cannot be changed by the page', async () => {
    const nested: Declared = {
      params: {},
      query: { tags: z.string().transform((text) => ({ list: text.split(',') })) },
      vary: [],
    };
    const inputs = await parseInputs(nested, { params: {}, query: 'tags=a,b', header });
    if ('rejected' in inputs) throw new Error(inputs.reason);
    expect(Object.isFrozen(inputs.query)).toBe(true);
    expect(Object.isFrozen((inputs.query.tags as { list: string[] }).list)).toBe(true);
  });

  test('of a path that does not parse are no page, of a query a mistake', async () => {
    expect(await parse('', 'x')).toMatchObject({ rejected: 404 });
    expect(await parse('page=x')).toMatchObject({ rejected: 400 });
    expect(await parse('page=x', 'x')).toMatchObject({ rejected: 404 });
  });

  test('that come twice are refused, even where both are equal or differently spelt', async () => {
    for (const query of ['page=1&page=1', 'page=1&p%61ge=2', 'page&page']) {
      expect(await parse(query), query).toMatchObject({
        rejected: 400,
        reason: expect.stringContaining('more than once'),
      });
    }
    expect(await parse('x=1&x=2')).not.toHaveProperty('rejected');
  });

  test('may be parsed by a schema that takes its time', async () => {
    const slow: Declared = { ...declared, query: { q: z.string().refine(async (text) => text !== 'no') } };
    expect(await parseInputs(slow, { params: { id: '1' }, query: 'q=yes', header })).toMatchObject({
      query: { q: 'yes' },
    });
    expect(await parseInputs(slow, { params: { id: '1' }, query: 'q=no', header })).toMatchObject({
      rejected: 400,
    });
  });

  test('hold a header only as long as it is short enough to be a variant', async () => {
    const of = (value: string) =>
      parseInputs(declared, { params: { id: '1' }, query: '', header: () => value });
    expect(await of('eu')).toMatchObject({ headers: { 'x-region': 'eu' } });
    expect(await of('x'.repeat(257))).toMatchObject({ headers: { 'x-region': '' } });
  });
});

test('two requests share a key if and only if the page sees the same', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.constantFrom('1', '01', '', 'a&b', 'a=b', '%', '+'),
  );
  const request = fc.record({
    q: fc.option(text),
    page: fc.option(fc.constantFrom('1', '01', '2', '3.0')),
    id: fc.constantFrom('1', '2', '02'),
  });
  const see = async (r: { q: string | null; page: string | null; id: string }) => {
    const query = new URLSearchParams();
    if (r.q !== null) query.set('q', r.q);
    if (r.page !== null) query.set('page', r.page);
    const inputs = await parse(query.toString(), r.id);
    if ('rejected' in inputs) return undefined;
    const { params, headers: variants } = inputs;
    return {
      seen: JSON.stringify(inputs),
      key: pageKey({ build: 'b', page: '/p', params, query: inputs.query, variants }),
    };
  };
  await fc.assert(
    fc.asyncProperty(request, request, async (a, b) => {
      const [one, two] = [await see(a), await see(b)];
      if (one === undefined || two === undefined) return;
      expect(one.key === two.key).toBe(one.seen === two.seen);
    }),
    { numRuns: 2000 },
  );
});
