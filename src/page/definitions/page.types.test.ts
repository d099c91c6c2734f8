// Types flow from schemas to load to view without a word. `expectTypeOf` is checked by tsc.
import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import type { Db } from '../../data/db.ts';
import type { Flash } from '../../visitor/flash.ts';
import type { ReadableSession } from '../../visitor/visitor.ts';
import { fragment } from './fragment.ts';
import { notFound, redirect } from './outcome.ts';
import { page } from './page.ts';

test('load sees what the schemas answer, view and head see what load answers', () => {
  page({
    params: { id: z.coerce.number() },
    query: { sort: z.enum(['a', 'b']).default('a'), since: z.coerce.date().optional() },
    load: async ({ params, query, headers, db, signal }) => {
      expectTypeOf(params).toEqualTypeOf<{ readonly id: number }>();
      expectTypeOf(query.sort).toEqualTypeOf<'a' | 'b'>();
      expectTypeOf(query.since).toEqualTypeOf<Date | undefined>();
      expectTypeOf(headers).toEqualTypeOf<Readonly<Record<string, string>>>();
      expectTypeOf(db).toEqualTypeOf<Db>();
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      if (params.id === 1) return notFound();
      if (params.id === 2) return redirect('/');
      return { name: 'Ada', age: 36 };
    },
    head: (props) => {
      expectTypeOf(props).toEqualTypeOf<{ name: string; age: number }>();
      return { title: props.name };
    },
    view: (props) => {
      expectTypeOf(props).toEqualTypeOf<{ name: string; age: number }>();
      return { h1: props.name };
    },
  });
});

test('a page without schemas sees no parameters', () => {
  page({
    load: ({ params, query }) => {
      expectTypeOf<keyof typeof params>().toEqualTypeOf<never>();
      expectTypeOf<keyof typeof query>().toEqualTypeOf<never>();
      return 1;
    },
    view: (one) => {
      expectTypeOf(one).toEqualTypeOf<number>();
      return one;
    },
  });
});

test('a fragment sees its key, and its view what load answers or else the key', () => {
  const Card = fragment('card', {
    key: (props: { id: number; rest: string }) => props.id,
    load: ({ key }) => {
      expectTypeOf(key).toEqualTypeOf<number>();
      return { name: 'Ada' };
    },
    view: (data) => {
      expectTypeOf(data).toEqualTypeOf<{ name: string }>();
      return data.name;
    },
  });
  expectTypeOf(Card).parameter(0).toEqualTypeOf<{ id: number; rest: string }>();
  fragment('plain', {
    key: (props: { id: number }) => [props.id, 'x'] as const,
    view: (key) => {
      expectTypeOf(key).toEqualTypeOf<readonly [number, 'x']>();
      return key[1];
    },
  });
});

test('only the load of a personal page sees a visitor', () => {
  page({
    personal: true,
    params: { id: z.coerce.number() },
    load: async ({ params, session, cookies, header, flashes, db }) => {
      expectTypeOf(params).toEqualTypeOf<{ readonly id: number }>();
      expectTypeOf(cookies.get('a')).toEqualTypeOf<string | undefined>();
      expectTypeOf(header('a')).toEqualTypeOf<string | undefined>();
      expectTypeOf(session).toEqualTypeOf<ReadableSession>();
      expectTypeOf(flashes).toEqualTypeOf<() => readonly Flash[]>();
      expectTypeOf(db).toEqualTypeOf<Db>();
      return { name: 'Ada' };
    },
    view: ({ name }) => {
      expectTypeOf(name).toEqualTypeOf<string>();
      return name;
    },
  });
  page({
    load: (context) => {
      expectTypeOf(context).not.toHaveProperty('session');
      expectTypeOf(context).not.toHaveProperty('cookies');
      expectTypeOf(context).not.toHaveProperty('header');
      return 1;
    },
    view: () => 'shared',
  });
  page({
    personal: false,
    // @ts-expect-error: it is shared
    load: ({ session }) => session,
    view: () => 'shared',
  });
});
