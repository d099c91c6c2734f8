import { describe, expect, it } from 'vitest';
import { durations, hostSnapshot, someCounts, workerSnapshot } from '../../../test/support/snapshots.ts';
import { type Counts, zeroCounts } from '../counts.ts';
import { History } from '../history.ts';
import { type Column, columns, rowOf } from '../host-row.ts';
import type { WorkerSnapshot } from '../snapshot.ts';
import { recommendations } from './recommend.ts';
import type { Facts, Recommendation } from './rule.ts';

function facts(counts: Partial<Counts>, worker: Partial<WorkerSnapshot> = {}, looks = 0): Facts {
  const box = hostSnapshot({}, [workerSnapshot(worker)]);
  const history = new History<Column>(columns, 720);
  for (let look = 0; look < looks; look++) history.add(look * 5000, rowOf(box));
  return { box, counts: { ...zeroCounts(), ...counts }, spanMs: 3_600_000, history };
}

function said(rule: string, from: Facts): Recommendation[] {
  const found = recommendations(from).filter((each) => each.rule === rule);
  for (const each of found) {
    expect(JSON.stringify(each)).not.toMatch(/NaN|undefined|Infinity/);
    for (const text of [each.title, each.evidence, each.advice, each.effect]) expect(text).not.toBe('');
  }
  return found;
}

const use = (route: string, hits: number, misses: number): Counts['http']['cache'] => [
  { route, tier: 'l1', result: 'hit', requests: hits, collapsed: 0 },
  { route, tier: 'none', result: 'miss', requests: misses, collapsed: 0 },
];
const cached = (...uses: Counts['http']['cache'][]) => ({
  http: { ...zeroCounts().http, cache: uses.flat() },
});
const rendered = (route: string, count: number, ms = 40): Counts['pages'][number] => {
  const sizes = { htmlBytes: 0, sentBytes: 0 };
  return { route, failures: 0, slow: 0, durations: durations({ [ms]: count }), ...sizes };
};
const life = (parts: Partial<Counts['lifetimes'][number]>): Counts['lifetimes'][number] => {
  const none = { stored: 0, keys: 0, lifetimeMs: 0, ranOut: 0, unchanged: 0, purged: 0, purgedAgeMs: 0 };
  return { route: '/', ...none, purgedUnread: 0, ...parts };
};
const l1 = (parts: Partial<Counts['tiers'][number]>): Counts['tiers'][number] => {
  const none = { hits: 0, misses: 0, stale: 0, purged: 0, writes: 0, errors: 0, timeouts: 0 };
  return { kind: 'page', tier: 'l1', ...none, evictions: 0, returned: 0, refused: 0, ...parts };
};
const statement = (parts: Partial<Counts['data']['top'][number]>) => {
  const counted = { calls: 100, failures: 0, slow: 0, rows: 100, totalMs: 100, ...parts };
  const top = [{ text: 'SELECT * FROM posts WHERE title LIKE $1', ...counted }];
  return { data: { ...zeroCounts().data, statements: durations({ 50: 200 }), top } };
};
const held = (entries: number) => ({ held: [{ route: '/search', entries, bytes: entries * 10_000 }] });

interface Case {
  readonly rule: string;
  readonly fires: Facts;
  readonly about: string;
  readonly evidence: string;
  /** Near it, and nothing to say. */
  readonly silent: readonly Facts[];
}

const cases: readonly Case[] = [
  {
    rule: 'low-hit-rate',
    fires: facts({ ...cached(use('/', 300, 700), use('/b', 100, 100)), pages: [rendered('/', 700)] }),
    about: 'L1',
    evidence: '33.3 % of 1200 page requests were hits; most misses: / (700), /b (100)',
    silent: [facts(cached(use('/', 700, 300))), facts(cached(use('/', 10, 90)))],
  },
  {
    rule: 'hot-uncached',
    fires: facts({ ...cached(use('/', 0, 900), use('/b', 5000, 1)), pages: [rendered('/', 900)] }),
    about: '/',
    evidence: '900 requests (15.3 % of all), 900 renders of 40 ms each, and no entry was ever kept',
    silent: [
      facts({ ...cached(use('/', 1, 900)), pages: [rendered('/', 900)] }),
      facts({ ...cached(use('/', 0, 900)), pages: [rendered('/', 900)], lifetimes: [life({ stored: 900 })] }),
      facts({ ...cached(use('/', 0, 900), use('/b', 90_000, 1)), pages: [rendered('/', 900)] }),
    ],
  },
  {
    rule: 'short-ttl',
    fires: facts({
      ...cached(use('/', 5000, 100)),
      pages: [rendered('/', 100)],
      lifetimes: [life({ stored: 100, lifetimeMs: 500_000, ranOut: 90, unchanged: 88, purged: 1 })],
    }),
    about: '/',
    evidence:
      'its entries live 5 s; 90 were made again because their time was over, 88 of them into the same bytes (one in 30 had changed)',
    silent: [
      facts({ lifetimes: [life({ stored: 100, lifetimeMs: 500_000, ranOut: 90, unchanged: 20 })] }),
      facts({
        lifetimes: [life({ stored: 300, lifetimeMs: 500_000, ranOut: 90, unchanged: 88, purged: 200 })],
      }),
      facts({ lifetimes: [life({ stored: 10, lifetimeMs: 500_000, ranOut: 9, unchanged: 9 })] }),
    ],
  },
  {
    rule: 'purged-often',
    fires: facts({
      lifetimes: [life({ stored: 200, purged: 180, purgedAgeMs: 360_000, purgedUnread: 100 })],
      purgeCauses: [
        { route: '/', cause: 'posts@rows', entries: 150 },
        { route: '/', cause: 'users#', entries: 30 },
        { route: '/b', cause: 'tags', entries: 999 },
      ],
    }),
    about: '/',
    evidence:
      '180 of 200 entries were purged, 2 s old on average, 100 of them never read; because of posts@rows (83.3 %), users# (16.7 %)',
    silent: [
      facts({ lifetimes: [life({ stored: 200, purged: 180, purgedAgeMs: 180 * 60_000, purgedUnread: 10 })] }),
      facts({ lifetimes: [life({ stored: 200, purged: 20, purgedAgeMs: 0, purgedUnread: 20 })] }),
    ],
  },
  {
    rule: 'many-variants',
    fires: facts(
      { ...cached(use('/search', 100, 900)), lifetimes: [life({ route: '/search', stored: 900 })] },
      held(800),
    ),
    about: '/search',
    evidence: '900 entries were made and 100 requests were answered from them; 800 are held now, 7.6 MiB',
    silent: [
      facts(
        { ...cached(use('/search', 5000, 900)), lifetimes: [life({ route: '/search', stored: 900 })] },
        held(800),
      ),
      facts(
        { ...cached(use('/search', 100, 900)), lifetimes: [life({ route: '/search', stored: 900 })] },
        held(3),
      ),
    ],
  },
  {
    rule: 'many-dependencies',
    fires: facts({ lifetimes: [life({ stored: 50, keys: 25_000 })] }),
    about: '/',
    evidence: '500 dependency keys an entry on average, over 50 entries; 0 were purged',
    silent: [
      facts({ lifetimes: [life({ stored: 50, keys: 5000 })] }),
      facts({ lifetimes: [life({ stored: 2, keys: 9000 })] }),
    ],
  },
  {
    rule: 'small-l1',
    fires: facts({ tiers: [l1({ evictions: 1000, returned: 400 })], pages: [rendered('/', 400)] }),
    about: 'L1_MAX_BYTES',
    evidence: '400 of 1000 displaced entries were wanted again within a minute; L1 has 30 MiB on this host',
    silent: [
      facts({ tiers: [l1({ evictions: 100_000, returned: 400 })] }),
      facts({ tiers: [l1({ evictions: 50, returned: 50 })] }),
      facts({ tiers: [{ ...l1({ evictions: 1000, returned: 400 }), tier: 'l3' }] }),
    ],
  },
  {
    rule: 'small-pool',
    fires: facts(
      { data: { ...zeroCounts().data, connects: durations({ 80: 200 }), statements: durations({ 2: 200 }) } },
      { pool: { max: 5, total: 5, idle: 0, waiting: 9 } },
      20,
    ),
    about: 'DB_POOL_MAX',
    evidence:
      'statements waited in 100 % of the looks of the last ten minutes; a connection took up to 99 ms (p95), for 200 statements; 5 connections at most',
    silent: [
      facts({ data: { ...zeroCounts().data, connects: durations({ 1: 200 }) } }, {}, 20),
      facts({}, { pool: { max: 5, total: 5, idle: 0, waiting: 9 } }, 3),
    ],
  },
  {
    rule: 'slow-statement',
    fires: facts(statement({ calls: 100, rows: 200, totalMs: 8000 })),
    about: 'SELECT * FROM posts WHERE title LIKE $1',
    evidence: '100 calls of 80 ms for 2 rows each: 80 % of all time in statements',
    silent: [
      facts(statement({ calls: 100, rows: 100, totalMs: 500 })),
      facts(statement({ calls: 100, rows: 50_000, totalMs: 8000 })),
      facts(statement({ calls: 3, rows: 3, totalMs: 8000 })),
      facts(statement({ text: '(other)', totalMs: 8000 })),
    ],
  },
  {
    rule: 'hot-component',
    fires: facts({
      components: [
        { component: 'Markdown', calls: 400, totalMs: 300 },
        { component: 'Badge', calls: 4000, totalMs: 30 },
      ],
    }),
    about: 'Markdown',
    evidence: '90.9 % of the time in components (sampled): 400 calls of 0.8 ms',
    silent: [
      facts({ components: [{ component: 'Badge', calls: 50, totalMs: 30 }] }),
      facts({ components: [{ component: 'Badge', calls: 100_000, totalMs: 30 }] }),
    ],
  },
  {
    rule: 'hot-fragment',
    fires: facts({
      pages: [rendered('/', 1000)],
      fragments: [{ ...fragment(), hits: 10, misses: 900, durations: durations({ 5: 900 }) }],
    }),
    about: 'user-card',
    evidence: '900 renders of 5 ms, 10 times found, in 1000 renders of pages',
    silent: [
      facts({ pages: [rendered('/', 1000)], fragments: [{ ...fragment(), hits: 9000, misses: 900 }] }),
      facts({ pages: [rendered('/', 100_000)], fragments: [{ ...fragment(), misses: 900 }] }),
    ],
  },
  {
    rule: 'hot-page',
    fires: facts({
      ...cached(use('/', 9000, 100)),
      pages: [rendered('/', 100)],
      tiers: [l1({ evictions: 5000 })],
    }),
    about: '/',
    evidence: '100 % of all page requests, 100 renders, while L1 displaced 5000 entries',
    silent: [
      facts({ ...cached(use('/', 9000, 100)), pages: [rendered('/', 100)] }),
      facts(
        {
          ...cached(use('/search', 9000, 100)),
          pages: [rendered('/search', 100)],
          tiers: [l1({ evictions: 5000 })],
        },
        held(800),
      ),
      facts({
        ...cached(use('/', 9000, 100), [{ ...use('/', 1, 0)[0]!, tier: 'static' }]),
        pages: [rendered('/', 100)],
        tiers: [l1({ evictions: 5000 })],
      }),
    ],
  },
];

function fragment(): Counts['fragments'][number] {
  const none = { hits: 0, stale: 0, misses: 0, failures: 0, htmlBytes: 0 };
  return { fragment: 'user-card', ...none, durations: durations({}) };
}

describe.each(cases)('$rule', ({ rule, fires, about, evidence, silent }) => {
  it('speaks, with its evidence', () => {
    expect(said(rule, fires)).toMatchObject([{ about, evidence }]);
  });

  it('is silent where there is nothing to it', () => {
    for (const each of silent) expect(said(rule, each)).toEqual([]);
  });
});

describe('recommendations', () => {
  it('come most urgent first', () => {
    const many = facts({
      ...cached(use('/', 300, 700)),
      pages: [rendered('/', 700)],
      lifetimes: [life({ stored: 50, keys: 25_000 })],
      tiers: [l1({ evictions: 900, returned: 200 })],
    });
    expect(recommendations(many).map(({ priority }) => priority)).toEqual(['high', 'medium', 'low']);
  });

  it('say nothing of a sound host, nor of one that has just begun', () => {
    expect(recommendations(facts({}))).toEqual([]);
    expect(recommendations({ ...facts(someCounts()), spanMs: 0 })).toEqual([]);
  });

  it('name at most five of a kind', () => {
    const lifetimes = Array.from({ length: 50 }, (_, index) =>
      life({ route: `/${index}`, stored: 50, keys: 25_000 }),
    );
    expect(recommendations(facts({ lifetimes }))).toHaveLength(5);
  });

  it.each([
    ['posts@rows', /rows? that comes or goes in posts/i],
    ['users#', /Rows of users/],
    ['posts.user_id=', /Rows of posts\.user_id/],
    ['weather:', /weather:\*/],
    ['users', /could not be followed/],
    ['(new epoch)', /epoch/],
  ])('say what to do about purges by %s', (cause, advice) => {
    const lifetimes = [life({ stored: 200, purged: 180, purgedAgeMs: 1000 })];
    const [spoken] = said(
      'purged-often',
      facts({ lifetimes, purgeCauses: [{ route: '/', cause, entries: 180 }] }),
    );
    expect(spoken?.advice).toMatch(advice);
  });
});
