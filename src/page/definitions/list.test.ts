import { expect, it } from 'vitest';
import { z } from 'zod';
import { parseInputs } from '../application/inputs.ts';
import { list } from './list.ts';

const declared = {
  params: {},
  query: { tag: list(z.enum(['a', 'b'])), sort: z.string().optional() },
  vary: [],
};
const parse = (query: string) => parseInputs(declared, { params: {}, query, header: () => undefined });

it('takes a parameter that comes several times, once, or not at all', () => {
  expect(parse('tag=a&sort=x&tag=b')).toMatchObject({ query: { tag: ['a', 'b'], sort: 'x' } });
  expect(parse('tag=b')).toMatchObject({ query: { tag: ['b'] } });
  expect(parse('')).toMatchObject({ query: { tag: [] } });
});

it('refuses what its schema refuses, more than a hundred values, and others that come twice', () => {
  expect(parse('tag=a&tag=c')).toMatchObject({ rejected: 400 });
  expect(parse(Array.from({ length: 100 }, () => 'tag=a').join('&'))).toMatchObject({
    query: { tag: { length: 100 } },
  });
  expect(parse(Array.from({ length: 101 }, () => 'tag=a').join('&'))).toMatchObject({ rejected: 400 });
  expect(parse('sort=x&sort=y')).toMatchObject({ rejected: 400 });
});

it('waits for a schema that answers with a promise', async () => {
  const slow = list(z.string().refine(async () => true));
  expect(await slow['~standard'].validate(['x'])).toEqual({ value: ['x'] });
});
