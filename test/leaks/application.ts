// Random applications: pages that are shared, in variants, of tenants, personal, behind guards, with holes and fragments, and
// with forms. Their code does what it can to carry a visitor along: it enters async contexts with the visitor in them wherever it sees one,
// and shows the async context that it finds wherever it sees none.
import { AsyncLocalStorage } from 'node:async_hooks';
import { z } from 'zod';
import {
  errorPage,
  forbidden,
  fragment,
  guard,
  hole,
  invalid,
  layout,
  type Node,
  notFound,
  page,
  session,
  variant,
} from '../../src/index.ts';
import type { Random } from '../coherence/random.ts';

export const HOSTS = ['one.example.org', 'two.example.org'] as const;
const schema = z.object({ name: z.string() });
export const visitors = session({ schema });
const nameIn = (data: unknown) => schema.safeParse(data).data?.name;

/** Of the author's: what a request once entered, everything behind it may read. */
const around = new AsyncLocalStorage<string | undefined>();
// Node 20 follows promises only once a storage is in use: what is entered first of all lands on the connection. From here on it does.
around.enterWith(undefined);
const carry = (mark: string | undefined) => {
  if (mark !== undefined) around.enterWith(mark);
};
const found = () => `around ${around.getStore() ?? 'nothing'}`;
const later = () => new Promise<void>((resolve) => setImmediate(resolve));

interface Sees {
  readonly session: { readonly data: unknown };
  readonly cookies: { get(name: string): string | undefined };
}
const markOf = ({ session: { data }, cookies }: Sees) =>
  nameIn(data) ?? cookies.get('seen') ?? cookies.get('_ga');

let applications = 0;

export function makeApplication(random: Random) {
  const id = applications++;
  const chance = (share: number) => random() < share;
  const waits = chance(0.5);
  const text = chance(0.5) ? 'Long enough to be compressed. '.repeat(60) : 'short';

  const Card = fragment(`card-${id}`, {
    key: ({ item }: { item: string }) => item,
    load: async ({ key, dependsOn }) => {
      dependsOn(`item:${key}`);
      if (waits) await later();
      return `card ${key} ${found()}`;
    },
    view: (shown) => ({ article: `${shown} ${found()}` }),
  });
  const Greeting = hole(`greeting-${id}`, {
    reads: { session: true },
    load: async ({ session: { data } }) => {
      const name = nameIn(data);
      carry(name);
      if (chance(0.5)) await later();
      if (chance(0.05)) throw new Error(`no greeting for ${name}`);
      return name;
    },
    view: (name): Node => [{ b: `hello ${name}` }, Card({ item: 'greeting' })],
    anonymous: (): Node => [{ a: { href: '/', text: `sign in ${found()}` } }, Card({ item: 'anonymous' })],
    ...(chance(0.5) && { fallback: () => ({ b: 'somebody' }) }),
    maxBytes: 1000,
  });
  const Seen = hole(`seen-${id}`, {
    reads: { cookies: ['seen'] },
    load: ({ cookies, props }) => {
      carry(cookies.get('seen'));
      return `seen ${cookies.get('seen')} at ${props.item}`;
    },
    view: (shown) => ({ i: shown }),
    anonymous: ({ item }: { item: string }) => ({ i: `first time at ${item} ${found()}` }),
  });
  const withHoles = chance(0.8);
  const content = (...nodes: Node[]): Node => [
    { p: `${text} ${found()}` },
    ...nodes,
    ...(withHoles ? [Seen({ item: 'end' }), Card({ item: 'end' })] : []),
  ];
  const policy = { ttlMs: chance(0.8) ? 60_000 : 1, staleWhileRevalidateMs: chance(0.5) ? 60_000 : 0 };
  const query = { n: z.coerce.number().int().min(0).max(3).default(0) };
  const shared = (variants: readonly string[], host: boolean) =>
    page({
      query,
      cache: { ...policy, variants, host },
      ...(chance(0.3) && { shell: () => ({ title: 'Shell' }) }),
      load: async (context) => {
        context.dependsOn('shared');
        if (waits) await later();
        // All that it is given, whatever the types say.
        return JSON.stringify({ ...context, db: undefined, signal: undefined, found: found() });
      },
      view: (given) => content({ pre: given }, Card({ item: 'page' })),
    });
  const personal = page({
    personal: true,
    load: async (context) => {
      carry(markOf(context));
      if (waits) await later();
      return markOf(context);
    },
    view: (mark): Node => content({ b: `yours ${mark}` }, Card({ item: 'page' })),
  });
  const form = page({
    query,
    form: { say: z.string() },
    action: ({ form: { say }, session: own, cookies }) => {
      carry(say);
      if (say.startsWith('in ')) own.set({ userId: 1, name: say.slice(3) });
      if (say.startsWith('out ')) own.clear();
      cookies.set('seen', say.slice(3));
      if (say.startsWith('bad ')) return invalid({ say: `not ${say}` });
      if (say.startsWith('throws ')) throw new Error(say);
      return undefined;
    },
    cache: policy,
    load: ({ dependsOn }) => {
      dependsOn('form');
      return found();
    },
    view: (shown, feedback) =>
      content({ p: `${shown} ${feedback?.values.say ?? ''} ${feedback?.errors.say ?? ''}` }),
  });
  return {
    settings: {
      host: z.enum(HOSTS),
      variants: {
        locale: variant({
          values: ['en', 'ar'],
          reads: { headers: ['accept-language'], cookies: ['locale'] },
          choose: ({ headers, cookies }) => {
            carry(headers['accept-language']);
            // An author's slip: what was sent is no value.
            if (chance(0.1)) return headers['accept-language'];
            return cookies.locale ?? headers['accept-language']?.slice(0, 2);
          },
        }),
      },
    },
    pages: {
      _layout: layout({
        lang: ({ variants }) => variants.locale ?? 'en',
        view: ({ content: inner }) => [
          withHoles && { header: { children: [Greeting()] } },
          { main: { children: [inner] } },
        ],
      }),
      _error: errorPage({ view: ({ status }) => ({ h1: `error ${status} ${found()}` }) }),
      _404: page({
        cache: { variants: ['locale'] },
        load: () => found(),
        view: (shown) => content({ h1: shown }),
      }),
      index: shared([], false),
      variant: shared(['locale'], false),
      tenant: shared([], true),
      both: shared(['locale'], true),
      personal,
      form,
      gone: page({ load: () => notFound(), view: () => '' }),
      fails: page({
        load: () => {
          throw new Error(found());
        },
        view: () => '',
      }),
      'club/_guard': guard(({ session: { data }, cookies }) => {
        const mark = markOf({ session: { data }, cookies });
        carry(mark);
        if (nameIn(data) === undefined) return forbidden();
        if (chance(0.05)) throw new Error(`no entry for ${mark}`);
        return undefined;
      }),
      'club/index': shared([], false),
      'club/mine': personal,
    },
  };
}

export const TARGETS = [
  ...['/', '/?n=1', '/variant', '/variant?n=2', '/tenant', '/both', '/personal', '/form', '/gone', '/fails'],
  ...['/club', '/club?n=1', '/club/mine', '/nowhere', '/?n=x', '/form?n=1'],
] as const;

export const PURGED = ['shared', 'form', 'item:page', 'item:end', 'item:greeting', 'item:anonymous'] as const;
