// Two paths, one answer. Random pages with schemas that are not pure (a default that says the time, one that reads a
// variable, catch, coerce, refine, transform), random requests in all their spellings, time that passes, variables that
// change, purges between. What the fast path gives is what the ordinary path gives now, or gave within the last second.
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { page } from '../../src/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RawConnection, type RawResponse } from '../support/raw-http.ts';
import { startSite } from '../support/site.ts';

/** What schemas ask beside the request. */
interface World {
  /** The time as schemas read it. */
  ms: number;
  variable: number;
}

const day = ({ ms }: World) => `second ${Math.floor(ms / 1000)}`;

/** By name, so that a failure says what was drawn. */
const SCHEMAS: Readonly<Record<string, (world: World) => z.ZodType>> = {
  text: () => z.string(),
  'a number': () => z.coerce.number(),
  'a list': () => z.enum(['a', 'b']).catch('a'),
  'may be missing': () => z.string().optional(),
  'a constant default': () => z.string().default('none'),
  'a default that says the time': (world) => z.string().default(() => day(world)),
  'a default that reads a variable': (world) => z.coerce.string().default(() => `${world.variable}`),
  'a number, or a variable': (world) => z.coerce.number().catch(() => world.variable),
  'refined by a variable': (world) => z.string().refine(() => world.variable % 3 !== 0),
  'missing or refined by a variable': (world) =>
    z
      .string()
      .optional()
      .refine(() => world.variable % 2 === 0),
  'what is given, and the time': (world) => z.string().transform((text) => `${text} at ${day(world)}`),
  'what is given, and a variable': (world) => z.string().transform((text) => `${text} ${world.variable}`),
  'not known at once': (world) =>
    z.string().transform(async (text) => `${text} of ${await Promise.resolve(world.variable)}`),
};

const schema = fc.constantFrom(...Object.keys(SCHEMAS));
const pages = fc.record({
  id: schema,
  query: fc.dictionary(fc.constantFrom('q', 'r', 's'), schema, { maxKeys: 3 }),
});

const targets = fc
  .tuple(
    fc.constantFrom('/p/1', '/p/2', '/p/a', '/p/%61', '/plain', '/nowhere', '/p', '/p/1/'),
    fc.array(fc.constantFrom('q=1', 'q=a', 'q=%61', 'q', 'r=2', 'r=+', 's=b', 'x=1', 's=%zz', ''), {
      maxLength: 3,
    }),
  )
  .map(([path, query]) => (query.length === 0 ? path : `${path}?${query.join('&')}`));

const HEADERS = [
  [],
  ['Accept-Encoding: gzip'],
  ['Accept-Encoding: br, gzip'],
  ['accept-encoding: gzip;q=0.5, br;q=0.1'],
  ['If-None-Match: TAG'],
  ['Accept-Encoding: gzip', 'If-None-Match: W/"x", TAG'],
  ['If-None-Match: *'],
  ['If-Modified-Since: Sun, 22 Nov 2026 13:00:00 GMT'],
  ['Range: bytes=0-9'],
  ['Cookie: a=b'],
] as const;

const asks = fc.record({
  what: fc.constant('ask' as const),
  method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD'),
  /** Of a few, so that they are asked for again. */
  target: fc.nat({ max: 4 }),
  headers: fc.constantFrom(...HEADERS),
  times: fc.integer({ min: 1, max: 3 }),
});
const steps = fc.oneof(
  { weight: 8, arbitrary: asks },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('time' as const),
      ms: fc.constantFrom(1, 300, 999, 1000, 1500, 61_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('variable' as const), value: fc.nat({ max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('purge' as const) }) },
);

type Drawn = {
  readonly id: string;
  readonly query: Readonly<Record<string, string>>;
};

/** The same site twice: with the fast path, and without. */
async function twoSites({ id, query }: Drawn) {
  const clock = new ManualClock(Date.UTC(2026, 10, 22, 13));
  const world: World = { ms: 0, variable: 1 };
  let version = 0;
  const made = (name: string) => SCHEMAS[name]?.(world) ?? z.never();
  const declared = Object.fromEntries(Object.entries(query).map(([name, kind]) => [name, made(kind)]));
  const cache = { ttlMs: 60_000, staleWhileRevalidateMs: 0 };
  const shown = page({
    cache,
    params: { id: made(id) },
    query: declared,
    load: ({ params, query, dependsOn }) => {
      dependsOn('data');
      return JSON.stringify([params, query, version]);
    },
    view: (text) => ({ p: `${text} ${'long enough to be compressed '.repeat(60)}` }),
  });
  const pages = {
    'p/[id]': shown,
    plain: page({
      cache,
      load: ({ dependsOn }) => {
        dependsOn('data');
        return version;
      },
      view: (text) => ({ p: `plain ${text}` }),
    }),
  };
  const start = () => startSite({ pages, clock });
  const [fast, ordinary] = await Promise.all([start(), start()]);
  ordinary.hits.stop();
  return {
    world,
    clock,
    fast,
    ordinary,
    purge: () => {
      version += 1;
      fast.purge('data');
      ordinary.purge('data');
    },
  };
}

/** Differ by how often a page was asked for: its first compressed bodies are made quickly, and made again later. */
const OF_DRAFTS = /-q(?=[-"])/;
const IGNORED = new Set([
  'date',
  'cache-status',
  'x-request-id',
  'keep-alive',
  'connection',
  'content-length',
]);

/** All that a visitor sees of an answer, but for its name and what tells how it was made. */
function seen(response: RawResponse | undefined): string {
  if (response === undefined) return 'closed';
  const { status, headers, body } = response;
  // Failures have a reference of their own.
  if (status === 400) return '400';
  const shown = [...headers]
    .filter(([name]) => !IGNORED.has(name))
    .map(([name, value]) => [name, value.replace(OF_DRAFTS, '')])
    .sort();
  const encoding = headers.get('content-encoding');
  const decode = encoding === 'br' ? brotliDecompressSync : encoding === 'gzip' ? gunzipSync : undefined;
  const text = body.length === 0 || decode === undefined ? body : decode(body);
  return JSON.stringify([status, shown, text.toString('utf8')]);
}

/** The tags of a page in every encoding. */
function tagsOf(response: RawResponse | undefined): string {
  const tag = (response?.headers.get('etag') ?? '"none"').replace(OF_DRAFTS, '').slice(1, -1);
  return ['', '-q', '-gz', '-q-gz', '-br', '-q-br'].map((suffix) => `"${tag}${suffix}"`).join(', ');
}

class Visitor {
  readonly #connection: RawConnection;
  constructor(port: number) {
    this.#connection = new RawConnection(port);
  }
  async ask(method: string, target: string, headers: readonly string[]): Promise<RawResponse | undefined> {
    const head = [`${method} ${target} HTTP/1.1`, 'Host: a.test', ...headers, '', ''].join('\r\n');
    return this.#connection.ask(head, method === 'HEAD');
  }
  close(): void {
    this.#connection.close();
  }
}

test('a page of today is not given for that of yesterday, however often it was asked for', async () => {
  const clock = new ManualClock();
  let today = 'Monday';
  const index = page({
    cache: { ttlMs: 600_000 },
    query: { day: z.string().default(() => today) },
    load: ({ query }) => query.day,
    view: (day) => ({ p: day }),
  });
  const site = await startSite({ pages: { index }, clock });
  const visitor = new Visitor(site.port);
  const shown = async () => /<p>(.*)<\/p>/.exec(String((await visitor.ask('GET', '/', []))?.body))?.[1];
  for (let visit = 0; visit < 5; visit++) expect(await shown()).toBe('Monday');
  expect(site.hits.stats().answers).toBe(3);
  today = 'Tuesday';
  clock.advance(1000);
  for (let visit = 0; visit < 5; visit++) expect(await shown()).toBe('Tuesday');
  // Inputs that lead where they led are parsed anew once a second, on the fast path.
  clock.advance(1000);
  const before = site.hits.stats().answers;
  expect(await shown()).toBe('Tuesday');
  expect(site.hits.stats().answers).toBe(before + 1);
  visitor.close();
  await site.close();
});

let fromFastPath = 0;

test('the fast path gives what the ordinary path gives now, or gave within the last second', async () => {
  await fc.assert(
    fc.asyncProperty(
      pages,
      fc.array(targets, { minLength: 5, maxLength: 5 }),
      fc.array(steps, { minLength: 10, maxLength: 30 }),
      async (drawn, known, history) => {
        const { world, clock, fast, ordinary, purge } = await twoSites(drawn);
        const [mine, theirs] = [new Visitor(fast.port), new Visitor(ordinary.port)];
        /** What schemas were told before, and until when. */
        const before: (World & { readonly untilMs: number })[] = [];
        const change = (to: Partial<World>) => {
          before.push({ ...world, untilMs: clock.monotonic() });
          Object.assign(world, to);
        };
        /** What the ordinary path answers by what schemas were told within the last second. */
        const answersBefore = async (ask: () => Promise<string>) => {
          const now = { ...world };
          const answers: string[] = [];
          for (const { untilMs, ...then } of before) {
            if (untilMs <= clock.monotonic() - 1000) continue;
            Object.assign(world, then);
            answers.push(await ask());
          }
          Object.assign(world, now);
          return answers;
        };
        try {
          const tags = await Promise.all(
            known.map(async (target) => {
              const visitor = new Visitor(ordinary.port);
              const answer = await visitor.ask('GET', target, []);
              visitor.close();
              return tagsOf(answer);
            }),
          );
          for (const step of history) {
            if (step.what === 'time') {
              change({ ms: world.ms + step.ms });
              clock.advance(step.ms);
            } else if (step.what === 'variable') change({ variable: step.value });
            else if (step.what === 'purge') purge();
            else {
              const { method } = step;
              const target = known[step.target] ?? '/';
              const headers = step.headers.map((each) => each.replace('TAG', tags[step.target] ?? ''));
              const ask = async () => seen(await theirs.ask(method, target, headers));
              for (let time = 0; time < step.times; time++) {
                const answer = seen(await mine.ask(method, target, headers));
                const right = await ask();
                if (answer !== right)
                  expect(await answersBefore(ask), `${method} ${target} ${headers}`).toContain(answer);
              }
            }
          }
          fromFastPath += fast.hits.stats().answers;
        } finally {
          mine.close();
          theirs.close();
          await Promise.all([fast.close(), ordinary.close()]);
        }
      },
    ),
    { numRuns: Number(process.env.TWO_PATHS_RUNS ?? 60) },
  );
  // It was the fast path that was tried.
  expect(fromFastPath).toBeGreaterThan(100);
}, 120_000);
