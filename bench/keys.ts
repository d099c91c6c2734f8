// What it costs to know what a page was made from. Whole list pages over a real Postgres, from the request to the entry in
// memory, by two sites in this process: one follows its statements, the other has nobody who collects keys. The parts
// are measured once more by themselves, over what the statements of one render really gave.
import { setImmediate as turn } from 'node:timers/promises';
import type { FragmentEntry, PageEntry } from '../src/cache/entry.ts';
import { fragmentCodec, pageCodec } from '../src/cache/shared/codec.ts';
import { seal } from '../src/cache/shared/envelope.ts';
import { systemClock as clock } from '../src/core/clock.ts';
import type { DependencyKey } from '../src/core/units.ts';
import type { KeyRecorder } from '../src/core/validity.ts';
import type { Observed, StatementObserver } from '../src/data/observer.ts';
import { Database } from '../src/data/read/database.ts';
import { FollowedSchema } from '../src/data/record/followed-schema.ts';
import { type Site, startPosts, startSite } from './list-site.ts';
import { median } from './load.ts';
import { silent } from './silent.ts';
import type { Table } from './table.ts';

const WARM_UP = 20;
const RENDERS = 100;
const REPEATS = 200;
const GOAL = 0.05;

interface Subject {
  readonly name: string;
  readonly address: string;
  /** The page's fragments stay in memory, as they do when a row of the list was purged and the cards were not. */
  readonly keepsFragments?: true;
}

const SUBJECTS: readonly Subject[] = [
  { name: 'home', address: '/' },
  { name: 'posts, 20 fragments', address: '/posts' },
  { name: 'people, 40 rows', address: '/users' },
  { name: 'a person, 10 posts', address: '/users/7' },
  { name: 'search, 20 found', address: '/search?q=bread' },
  ...[20, 50, 100].map((size) => ({ name: `${size} rows with authors`, address: `/rows/${size}` })),
  ...[20, 50, 100].map((size) => ({ name: `${size} fragments`, address: `/cards/${size}` })),
  ...[20, 50, 100].map((size) => ({
    name: `${size} fragments held`,
    address: `/cards/${size}`,
    keepsFragments: true as const,
  })),
];

interface Call {
  readonly sql: string;
  readonly params: readonly unknown[];
  readonly result: Observed;
}

/** Keeps what statements gave, render by render (each has a sink of its own). */
class Witness implements StatementObserver {
  readonly #observer: StatementObserver;
  calls = new Map<KeyRecorder, Call[]>();

  constructor(observer: StatementObserver) {
    this.#observer = observer;
  }

  onStatement(
    sql: string,
    params: readonly unknown[],
    result: Observed,
    keyRecorder: KeyRecorder,
  ): void | Promise<void> {
    const calls = this.calls.get(keyRecorder) ?? [];
    calls.push({ sql, params, result });
    this.calls.set(keyRecorder, calls);
    return this.#observer.onStatement(sql, params as never, result, keyRecorder);
  }
}

interface Measured {
  readonly subject: Subject;
  readonly keys: number;
  readonly without: number[];
  readonly with: number[];
  readonly parts: { readonly collect: number; readonly slots: number; readonly seal: number };
}

export async function keys(): Promise<Table[]> {
  await using postgres = await startPosts();
  const reader = new Database({ connectionString: postgres.url, logger: silent, clock, max: 1 });
  const schema = new FollowedSchema({ read: (sql) => reader.run(sql), publication: null, logger: silent });
  await schema.ready();
  const witness = new Witness(schema);
  // Two of each: of two equal sites the one that was started first is dearer by some percent.
  await using first = await startSite(postgres.url, schema);
  await using second = await startSite(postgres.url, undefined);
  await using third = await startSite(postgres.url, undefined);
  await using fourth = await startSite(postgres.url, schema);
  const follows = [first, fourth];
  const blind = [second, third];
  await using witnessed = await startSite(postgres.url, witness);
  const measured: Measured[] = [];
  for (const subject of SUBJECTS) {
    measured.push(await measure(subject, { follows, blind, witnessed, witness, schema }));
  }
  await reader.close();
  return [tableOf(measured)];
}

interface Sites {
  readonly follows: readonly Site[];
  readonly blind: readonly Site[];
  readonly witnessed: Site;
  readonly witness: Witness;
  readonly schema: FollowedSchema;
}

async function measure(subject: Subject, sites: Sites): Promise<Measured> {
  const { follows, blind, witnessed, witness, schema } = sites;
  const withKeys: number[] = [];
  const without: number[] = [];
  for (let n = 0; n < WARM_UP + RENDERS; n++) {
    // Another begins each time, so that nobody always follows the same one.
    const both = [
      { sites: follows, micros: withKeys },
      { sites: blind, micros: without },
    ];
    for (const { sites: pair, micros } of n % 2 === 0 ? both : both.toReversed()) {
      let spent = 0;
      for (const site of pair) spent += await cost(site, subject);
      if (n >= WARM_UP) micros.push(spent / pair.length);
    }
  }
  if (subject.keepsFragments !== true) await witnessed.forgetFragments();
  else await witnessed.render(subject.address);
  witness.calls = new Map();
  const page = await witnessed.render(subject.address);
  const fragments = witness.calls.size > 1 ? witnessed.fragments() : [];
  const parts = {
    collect: collecting(
      witnessed,
      [...witness.calls.values()],
      schema,
      subject.keepsFragments ? witnessed.fragments() : [],
    ),
    slots: hashing(witnessed, [page, ...fragments]),
    seal: sealing(page, fragments),
  };
  return { subject, keys: page.keys.length, with: withKeys, without, parts };
}

/** CPU microseconds of one render, all threads of the process. */
async function cost(site: Site, { address, keepsFragments }: Subject): Promise<number> {
  if (keepsFragments !== true) await site.forgetFragments();
  await turn();
  const start = process.cpuUsage();
  await site.render(address);
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

function perCall(work: () => void): number {
  const runs: number[] = [];
  for (let n = 0; n < 5 * REPEATS; n++) work();
  for (let run = 0; run < 7; run++) {
    const start = process.cpuUsage();
    for (let n = 0; n < REPEATS; n++) work();
    const { user, system } = process.cpuUsage(start);
    runs.push((user + system) / REPEATS);
  }
  return median(runs);
}

/** From the results of a page's statements, and those of its fragments, to the page's keys. */
function collecting(
  site: Site,
  [own = [], ...inside]: readonly (readonly Call[])[],
  schema: FollowedSchema,
  held: readonly FragmentEntry[],
): number {
  const collect = (isOn: boolean): readonly DependencyKey[] => {
    const page = site.renderContext();
    if (isOn) observe(own, schema, page.keyRecorder);
    for (const calls of inside) {
      const fragment = site.renderContext();
      if (isOn) observe(calls, schema, fragment.keyRecorder);
      page.renderContext.include({ keys: fragment.renderContext.keys, createdMs: 0 }, 0);
    }
    if (isOn)
      for (const { keys: known } of held) page.renderContext.include({ keys: known, createdMs: 0 }, 0);
    return page.renderContext.keys;
  };
  return perCall(() => collect(true)) - perCall(() => collect(false));
}

function observe(calls: readonly Call[], schema: FollowedSchema, keyRecorder: KeyRecorder): void {
  for (const { sql, params, result } of calls) void schema.onStatement(sql, params, result, keyRecorder);
}

/** The clock remembers the slots of a frozen list; here they are wanted again and again. */
function hashing({ validity }: Site, entries: readonly (PageEntry | FragmentEntry)[]): number {
  const lists = entries.map((made) => [...made.keys]);
  return perCall(() => {
    for (const list of lists) validity.slotsOf(list);
  });
}

function sealing(page: PageEntry, fragments: readonly FragmentEntry[]): number {
  const all = (isOn: boolean): void => {
    seal(pageCodec, 'page', isOn ? page : { ...page, keys: [] }, 0, 1000);
    for (const fragment of fragments)
      seal(fragmentCodec, 'fragment', isOn ? fragment : { ...fragment, keys: [] }, 0, 1000);
  };
  return perCall(() => all(true)) - perCall(() => all(false));
}

function tableOf(measured: readonly Measured[]): Table {
  return {
    title: 'Keys of list pages',
    notes: [
      'CPU microseconds of this process from the request to the entry in memory: route, statements (reading the rows included), view, document, entry, index;',
      `uncompressed, without a socket to a visitor. Medians of ${RENDERS} times two renders, in turn by sites that follow their statements and by sites where nobody collects keys.`,
      '`collect`: from the results of the statements to the sorted set of keys, fragments included. `slots`: keys to slots of the purge clock. `seal`: keys into the',
      'envelopes of L2 and L3, which is behind the render. These three are medians by themselves, again and again over the results of one render, as shares of',
      `the render without keys; the goal is ${100 * GOAL} % for the first. \`all\`: what the sites differ by, the index of entries and weighing them included;`,
      'it is the difference of two large figures and needs a quiet machine.',
    ],
    columns: [
      'page',
      'keys',
      'without us',
      'with us',
      'all',
      'collect us',
      'share',
      'slots us',
      'share',
      'seal us',
    ],
    rows: measured.map(({ subject, keys: count, with: on, without, parts }) => {
      const whole = median(without);
      return [
        subject.name,
        String(count),
        whole.toFixed(0),
        median(on).toFixed(0),
        percent(median(on) / whole - 1),
        parts.collect.toFixed(1),
        percent(parts.collect / whole),
        parts.slots.toFixed(1),
        percent(parts.slots / whole),
        parts.seal.toFixed(1),
      ];
    }),
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
