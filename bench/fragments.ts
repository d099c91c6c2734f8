// Nested dependencies (W8): a page of a header and 20 sections of 5 leaves, each leaf made from one row. One row
// changes, and the page is asked for again. Everything runs in this process, from the request to the answer's bytes,
// without sockets and without a database: both would add the same to each side and hide what is compared.
import { setImmediate as turn } from 'node:timers/promises';
import type { Cached, FragmentEntry, PageEntry } from '../src/cache/entry.ts';
import { MemoryTier } from '../src/cache/memory/memory.ts';
import { type Weigh, weighFragment, weighPage } from '../src/cache/memory/weight.ts';
import { Background } from '../src/cache/render/background.ts';
import { CacheStack } from '../src/cache/stack/stack.ts';
import { systemClock as clock } from '../src/core/clock.ts';
import type { Logger } from '../src/core/log.ts';
import { EncodingChoice } from '../src/http/response/negotiate.ts';
import { pageResponse } from '../src/http/response/response.ts';
import { fragment, type Node, page } from '../src/index.ts';
import { PurgeClock } from '../src/invalidation/clock/clock.ts';
import { assemble } from '../src/page/application/application.ts';
import { tagOf } from '../src/page/encode/encode.ts';
import { Fragments } from '../src/page/render/fragments.ts';
import { PageRenderer } from '../src/page/render/renderer.ts';
import { PagePipeline } from '../src/page/request/pipeline.ts';
import { render } from '../src/render/render.ts';
import { trusted } from '../src/render/trust.ts';
import { median } from './load.ts';
import type { Table } from './table.ts';

const SECTIONS = 20;
const LEAVES = 5;
const ROUNDS = 15;
const RENDERS_PER_ROUND = 20;

const log: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (...what: unknown[]) => console.error(...what),
  child: () => log,
};

/** One row for each leaf, and how often each component was rendered. */
class World {
  readonly versions = new Map<number, number>();
  leaves = 0;
  sections = 0;

  row(id: number) {
    return { id, version: this.versions.get(id) ?? 0 };
  }

  leaf({ id, version }: { id: number; version: number }): Node {
    this.leaves++;
    return {
      article: {
        className: 'leaf',
        id: `leaf-${id}`,
        children: [
          { h3: { children: [{ a: { href: `/leaves/${id}`, text: `Leaf ${id} <version ${version}>` } }] } },
          {
            p: `What is said of number ${id} & its like, "in some words", a line or two of them as on any page.`,
          },
          {
            dl: {
              children: ['colour', 'weight', 'price'].map((name, at) => [
                { dt: name },
                { dd: { className: 'value', text: String((id * 7919 + at * 104729) % 10_007) } },
              ]),
            },
          },
        ],
      },
    };
  }

  section(n: number, leaves: Node): Node {
    this.sections++;
    return { section: { className: 'group', children: [{ h2: `Group ${n}` }, leaves] } };
  }
}

const leavesOf = (n: number): number[] => Array.from({ length: LEAVES }, (_, at) => n * LEAVES + at);
const header: Node = {
  header: {
    className: 'top',
    children: [
      { h1: 'All groups' },
      { nav: { children: ['Home', 'Groups', 'About'].map((text) => ({ a: { href: `/${text}`, text } })) } },
    ],
  },
};

/** The page of fragments. */
function inFragments(world: World) {
  const Leaf = fragment('leaf', {
    key: (props: { id: number }) => props.id,
    load: async ({ key, dependsOn }) => {
      dependsOn(`rows#${key}`);
      await undefined;
      return world.row(key);
    },
    view: (row) => world.leaf(row),
  });
  const Section = fragment('section', {
    key: (props: { n: number }) => props.n,
    view: (n) =>
      world.section(
        n,
        leavesOf(n).map((id) => Leaf({ id })),
      ),
  });
  return page({
    load: readGroups,
    head: () => ({ title: 'Groups' }),
    view: (groups) => [header, { main: { children: groups.map((n) => Section({ n })) } }],
  });
}

/** The same bytes from plain components: what a page without fragments pays. */
function inOnePiece(world: World) {
  return page({
    load: async (reading) => {
      const groups = await readGroups(reading);
      for (const n of groups) for (const id of leavesOf(n)) reading.dependsOn(`rows#${id}`);
      return groups.map((n) => ({ n, rows: leavesOf(n).map((id) => world.row(id)) }));
    },
    head: () => ({ title: 'Groups' }),
    view: (groups) => [
      header,
      {
        main: {
          children: groups.map(({ n, rows }) =>
            world.section(
              n,
              rows.map((row) => world.leaf(row)),
            ),
          ),
        },
      },
    ],
  });
}

async function readGroups({ dependsOn }: { dependsOn: (key: string) => void }): Promise<number[]> {
  dependsOn('groups@rows');
  await undefined;
  return Array.from({ length: SECTIONS }, (_, n) => n);
}

/** A site without sockets. */
function startSite(world: World, make: (world: World) => unknown) {
  const purges = new PurgeClock({ epoch: 'bench' });
  const stack = <V extends Cached>(weigh: Weigh<V>) => {
    const common = { clock, validity: purges, weigh, maxBytes: 50e6 };
    const background = new Background({ maxRunning: 2, maxQueued: 100 });
    const memory = new MemoryTier(common);
    return new CacheStack<V>({ clock, log, validity: purges, memory, background });
  };
  const caches = { pages: stack<PageEntry>(weighPage), fragments: stack<FragmentEntry>(weighFragment) };
  const refuse = () => Promise.reject(new Error('There is no database here.'));
  const db = { query: refuse, one: refuse, many: refuse, byId: refuse, paginate: refuse };
  const sources = { readScopes: { readScope: () => db }, fetch: globalThis.fetch };
  const timeouts = { hardTimeoutMs: 10_000, softTimeoutMs: 500 };
  const application = assemble({ modules: [{ file: 'index', exported: make(world) }], build: 'bench' });
  const fragments = new Fragments({ build: 'bench', sources, clock, timeouts, cache: caches.fragments });
  const renderer = new PageRenderer({ application, sources, fragments, clock, log });
  const pipeline = new PagePipeline({
    application,
    cache: caches.pages,
    renderer,
    timeouts,
    clock,
    log,
    newId: () => 'id',
    random: () => 0,
    showErrors: false,
  });
  const encodings = new EncodingChoice().preferred('identity');
  return {
    /** The bytes sent. Fails where the page came from the cache: then there is nothing to measure. */
    render: async (): Promise<number> => {
      const { entry, outcome } = await pipeline.respond({
        segments: [],
        query: '',
        header: () => undefined,
        encoding: encodings[0] ?? 'identity',
        waits: () => ({ signal: new AbortController().signal }),
      });
      if (outcome?.result !== 'miss') throw new Error(`not rendered: ${outcome?.result}`);
      const { body } = pageResponse(entry, { method: 'GET', encodings, ifNoneMatch: undefined }, undefined);
      return body?.length ?? 0;
    },
    /** A commit that changes one row. */
    change: (id: number): void => {
      world.versions.set(id, (world.versions.get(id) ?? 0) + 1);
      purges.apply(purges.seq + 1, [`rows#${id}`], 'purge');
    },
    forget: async (): Promise<void> => {
      await Promise.all([caches.pages.clear(), caches.fragments.clear()]);
    },
    size: () => {
      const entry = caches.pages.recentKeys(1).map((key) => caches.pages.peek(key))[0];
      return entry?.identity.length ?? 0;
    },
  };
}

/** The same page put together by hand: a string for each leaf and each group, and what has changed is rendered again. */
function splicing(world: World) {
  const leaves = new Map<number, string>();
  const groups = new Map<number, string>();
  const group = (n: number) => {
    const inside = trusted(
      leavesOf(n)
        .map((id) => leaves.get(id) ?? '')
        .join(''),
    );
    groups.set(n, String(render(world.section(n, inside))));
  };
  const leaf = (id: number) => leaves.set(id, String(render(world.leaf(world.row(id)))));
  const all = Array.from({ length: SECTIONS }, (_, n) => n);
  for (const n of all) {
    for (const id of leavesOf(n)) leaf(id);
    group(n);
  }
  const before = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Groups</title></head><body><main>${render(header)}<main>`;
  return {
    change: (id: number): void => {
      world.versions.set(id, (world.versions.get(id) ?? 0) + 1);
      leaf(id);
      group(Math.floor(id / LEAVES));
    },
    render: (): { readonly body: Buffer; readonly tag: string } => {
      const html = all.map((n) => groups.get(n)).join('');
      const body = Buffer.from(`${before}${html}</main></main></body></html>`);
      return { body, tag: tagOf(body) };
    },
  };
}

type Site = ReturnType<typeof startSite>;

/** CPU microseconds of one render, all threads of the process. `before` is not counted. */
async function cost(
  site: Pick<Site, 'render'>,
  before: (n: number) => Promise<void> | void = () => {},
): Promise<number> {
  let micros = 0;
  for (let n = 0; n < RENDERS_PER_ROUND; n++) {
    await before(n);
    await turn();
    const start = process.cpuUsage();
    await site.render();
    const { user, system } = process.cpuUsage(start);
    micros += user + system;
  }
  return micros / RENDERS_PER_ROUND;
}

interface Contender {
  readonly name: string;
  readonly what: string;
  readonly run: () => Promise<number>;
  readonly cpu: number[];
}

export async function fragments(): Promise<Table[]> {
  const [world, plainWorld] = [new World(), new World()];
  const site = startSite(world, inFragments);
  const plain = startSite(plainWorld, inOnePiece);
  const byHand = splicing(new World());
  let next = 0;
  const another = () => (next = (next + 37) % (SECTIONS * LEAVES));
  await site.render();
  await plain.render();
  const contenders: Contender[] = [
    {
      name: 'full render',
      what: 'nothing is cached: 1 page, 20 groups, 100 leaves',
      run: () => cost(site, () => site.forget()),
      cpu: [],
    },
    {
      name: 'one piece',
      what: 'the same page without fragments, one row changed',
      run: () => cost(plain, () => plain.change(another())),
      cpu: [],
    },
    {
      name: 'rebuild',
      what: 'one row changed: 1 leaf, its group, the page',
      run: () => cost(site, () => site.change(another())),
      cpu: [],
    },
    {
      name: 'by hand',
      what: 'one row changed: its leaf and group rendered again, strings joined, bytes and their tag made',
      run: () =>
        cost({
          render: async () => {
            byHand.change(another());
            return byHand.render().body.length;
          },
        }),
      cpu: [],
    },
  ];
  for (const { run } of contenders) await run();
  for (let round = 0; round < ROUNDS; round++) {
    for (let at = 0; at < contenders.length; at++) {
      const contender = contenders[(round + at) % contenders.length];
      contender?.cpu.push(await contender.run());
    }
  }
  const amplification = await countRenders(site, world, another);
  const full = contenders[0]?.cpu ?? [];
  const [, , rebuild, spliced] = contenders;
  const times = median(
    (rebuild?.cpu ?? []).map((value, round) => value / (spliced?.cpu[round] ?? Number.NaN)),
  );
  return [
    {
      title: 'Fragments',
      notes: [
        `A page of ${SECTIONS} groups of ${LEAVES} leaves (${Math.round(site.size() / 1024)} KiB); each leaf reads one row. CPU time from the request to the bytes of`,
        'the answer, in one process, all its threads counted, without sockets and without a database.',
        `A rebuild costs ${times.toFixed(2)} times what it costs by hand, where nothing is kept, keyed, told apart or vouched for.`,
        `Re-render amplification (leaves rendered for each row that changed, over 100 changes): ${amplification.toFixed(2)}.`,
      ],
      columns: ['render', 'CPU us', 'least', 'most', '% of a full one', 'what it is'],
      rows: contenders.map(({ name, what, cpu }) => [
        name,
        ...[median(cpu), Math.min(...cpu), Math.max(...cpu)].map((value) => value.toFixed(0)),
        (100 * median(cpu.map((value, round) => value / (full[round] ?? Number.NaN)))).toFixed(1),
        what,
      ]),
    },
  ];
}

async function countRenders(site: Site, world: World, another: () => number): Promise<number> {
  // Whatever was asked for last round, all of it is cached from here on.
  site.change(another());
  await site.render();
  const before = world.leaves;
  for (let n = 0; n < 100; n++) {
    site.change(another());
    await site.render();
  }
  return (world.leaves - before) / 100;
}
