import { expect, test } from 'vitest';
import { z } from 'zod';
import { assemble } from '../application/application.ts';
import { page } from '../definitions/page.ts';
import { addressOf } from './address.ts';

const { routes } = assemble({
  build: 'b',
  modules: [
    { file: 'index', exported: page({ view: () => '' }) },
    { file: 'users/[id]', exported: page({ params: { id: z.coerce.number() }, view: () => '' }) },
    { file: 'docs/[...rest]', exported: page({ params: { rest: z.string() }, view: () => '' }) },
  ],
});

const of = (template: string, params: object = {}, query: object = {}) => {
  const route = routes.find((each) => each.template === template) ?? expect.fail(template);
  return addressOf({
    route,
    inputs: { params: { ...params }, query: { ...query }, headers: {}, variants: {} },
  })?.text;
};

test('an address is made of the route and what the page saw', () => {
  expect(of('/')).toBe('/');
  expect(of('/users/[id]', { id: 17 }, { page: 2, q: 'a b&c', none: undefined })).toBe(
    '/users/17?page=2&q=a%20b%26c',
  );
  expect(of('/docs/[...rest]', { rest: 'a/ü/c' })).toBe('/docs/a/%C3%BC/c');
  expect(of('/', {}, { tags: ['a', 'b'] })).toBe('/?tags=a&tags=b');
});

test('there is none for what a schema made into more than text', () => {
  expect(of('/users/[id]', { id: new Date(0) })).toBeUndefined();
  expect(of('/', {}, { tags: ['a', { b: 1 }] })).toBeUndefined();
});
