// Types flow from an endpoint's schemas to its handlers. `expectTypeOf` is checked by tsc.
import type { Readable } from 'node:stream';
import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import type { WritableDb } from '../../data/read/write-scope.ts';
import { raw, stream } from './body.ts';
import { endpoint } from './endpoint.ts';

test('each handler sees what the schemas answer, and a body only where it declares one', () => {
  endpoint({
    params: { id: z.coerce.number() },
    query: { sort: z.enum(['a', 'b']).default('a') },
    GET: ({ params, query, db, ...rest }) => {
      expectTypeOf(params).toEqualTypeOf<{ readonly id: number }>();
      expectTypeOf(query.sort).toEqualTypeOf<'a' | 'b'>();
      expectTypeOf(db).toEqualTypeOf<WritableDb>();
      expectTypeOf(rest).not.toHaveProperty('body');
      return { id: params.id };
    },
    POST: {
      body: z.object({ title: z.string(), at: z.coerce.date() }),
      handler: ({ body, params }) => {
        expectTypeOf(body).toEqualTypeOf<{ title: string; at: Date }>();
        expectTypeOf(params.id).toEqualTypeOf<number>();
        return Response.json(body, { status: 201 });
      },
    },
    PUT: {
      body: raw(),
      handler: ({ body }) => {
        expectTypeOf(body).toEqualTypeOf<Buffer>();
      },
    },
    PATCH: {
      body: stream(),
      handler: ({ body }) => {
        expectTypeOf(body).toEqualTypeOf<Readable>();
        return undefined;
      },
    },
  });
});

test('text is no answer: whether it is JSON or a text is for a Response to say', () => {
  endpoint({
    // @ts-expect-error text
    GET: () => 'text',
  });
});

test('who may come from anywhere brings no session and no cookies', () => {
  endpoint({
    from: 'anywhere',
    GET: (context) => {
      expectTypeOf(context).not.toHaveProperty('session');
      expectTypeOf(context).not.toHaveProperty('cookies');
      return { accept: context.header('accept') ?? null };
    },
  });
  endpoint({
    from: ['https://app.example.org'],
    POST: {
      body: z.object({ name: z.string() }),
      handler: ({ session, cookies, body }) => {
        expectTypeOf(session.set).toBeFunction();
        expectTypeOf(cookies.set).toBeFunction();
        expectTypeOf(body.name).toEqualTypeOf<string>();
        return { name: body.name };
      },
    },
  });
});
