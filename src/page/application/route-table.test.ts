import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { page } from '../definitions/page.ts';
import { endpoint } from '../endpoint/endpoint.ts';
import { assemble } from './application.ts';

const shown = page({ view: () => null });
const get = endpoint({ GET: () => undefined });
const assembled = (exported: unknown, named?: { page?: unknown; endpoint?: unknown }) =>
  assemble({ modules: [{ file: 'x', exported, ...(named && { named }) }], build: 'b' });

describe('a file of pages/', () => {
  it('answers a page, an endpoint, or both, and an application may have endpoints only', () => {
    const { router, routes } = assembled(get);
    expect(routes).toEqual([]);
    expect(router.match(['x'])).toBeUndefined();
    expect(router.endpoint(['x'])?.route.template).toBe('/x');
    const both = assembled(undefined, { page: shown, endpoint: endpoint({ PUT: () => undefined }) });
    expect(both.router.match(['x'])?.route.template).toBe('/x');
    expect(both.router.endpoint(['x'])?.route.page?.template).toBe('/x');
  });

  it('with two answers for one method is an error at start that names both', () => {
    expect(() => assembled(shown, { endpoint: get })).toThrow(/its page and its endpoint answer GET/);
    const form = page({ action: () => undefined, view: () => null });
    const post = endpoint({ POST: () => undefined });
    expect(() => assembled(form, { endpoint: post })).toThrow(/its action and its endpoint answer POST/);
    expect(() => assembled(shown, { endpoint: post })).not.toThrow();
    expect(() => assembled(shown, { page: shown })).toThrow(/two answers of one kind/);
    expect(() => assembled(undefined, { endpoint: shown })).toThrow(/'endpoint' is not made by endpoint/);
  });
});

describe('an endpoint', () => {
  it.each([
    [endpoint({}), /answers no method/],
    [endpoint({ params: { id: z.string() }, GET: () => undefined }), /params.id is not in the route/],
    [endpoint({ from: ['https://app.example.org/'], GET: () => undefined }), /no origin as browsers send it/],
    [endpoint({ from: ['https://App.example.org'], GET: () => undefined }), /no origin as browsers send it/],
    [endpoint({ from: ['null'], GET: () => undefined }), /no origin as browsers send it/],
    [endpoint({ from: 'everywhere' as never, GET: () => undefined }), /from is 'everywhere'/],
    [endpoint({ POST: { body: {} as never, handler: () => undefined } }), /not a Standard Schema/],
    [endpoint({ POST: { maxBytes: 0, handler: () => undefined } }), /POST.maxBytes is 0/],
  ])('that cannot be is told of at start (%#)', (made, message) => {
    expect(() => assembled(made)).toThrow(message);
  });
});
