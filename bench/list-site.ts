// Whole list pages without sockets to a visitor, over a real Postgres: from the request to the entry in memory, wired as
// in a worker. The sample application's pages, and two of its lists in sizes of one's choice.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { page } from 'coherent-render-server';
import { z } from 'zod';
import { entry } from '../app/components/entry.tsx';
import { postCard } from '../app/fragments/post-card.ts';
import layout from '../app/pages/_layout.tsx';
import home from '../app/pages/index.tsx';
import posts from '../app/pages/posts/index.tsx';
import search from '../app/pages/search.tsx';
import person from '../app/pages/users/[id].tsx';
import people from '../app/pages/users/index.tsx';
import { commentCounts } from '../app/queries.ts';
import type { PostRow, UserRow } from '../app/rows.ts';
import { seedWith } from '../app/seed.ts';
import { openCaches } from '../src/cache/stack/caches.ts';
import { systemClock as clock } from '../src/core/clock.ts';
import type { KeyRecorder } from '../src/core/validity.ts';
import type { StatementObserver } from '../src/data/observer.ts';
import { Database } from '../src/data/read/database.ts';
import { insertMany } from '../src/embedded/bulk.ts';
import { startEmbeddedPostgres } from '../src/embedded/postgres.ts';
import { PurgeClock } from '../src/invalidation/clock/clock.ts';
import { Dependencies } from '../src/invalidation/graph/dependencies.ts';
import { assemble } from '../src/page/application/application.ts';
import { readPublicFiles } from '../src/page/application/public-files.ts';
import { Fragments } from '../src/page/render/fragments.ts';
import { RenderContext } from '../src/page/render/render-context.ts';
import { PageRenderer } from '../src/page/render/renderer.ts';
import { PagePipeline } from '../src/page/request/pipeline.ts';
import { silent } from './silent.ts';

/** The sample's folder in dist/, as this file runs as dist/bench/list-site.js. */
const app = fileURLToPath(new URL('../app/', import.meta.url));

const SEED = { users: 1000, posts: 5000, comments: 20_000 };

const params = { size: z.coerce.number().int().min(1).max(500) };
const newest = [
  { column: 'created_at', direction: 'desc' },
  { column: 'id', direction: 'desc' },
] as const;

type Listed = Omit<PostRow, 'body'> & { readonly author: Pick<UserRow, 'id' | 'name'> };

/** The list in one piece, each post with its author. */
const rows = page({
  params,
  load: async ({ params: { size }, db }) => {
    const list = await db.paginate<Listed>({
      table: 'posts',
      columns: ['id', 'user_id', 'topic', 'lang', 'title', 'summary', 'created_at'],
      orderBy: newest,
      pageSize: size,
      after: null,
      include: { author: { table: 'users', columns: ['id', 'name'], kind: 'one', by: 'user_id' } },
    });
    const ids = list.rows.map((post) => post.id);
    return { list, comments: await commentCounts(db, ids) };
  },
  head: () => ({ title: 'Posts' }),
  view: ({ list, comments }) => ({
    div: {
      className: 'ruled',
      children: list.rows.map((post) =>
        entry({ ...post, createdAt: post.created_at, comments: comments.get(post.id) ?? 0 }),
      ),
    },
  }),
});

/** The list of fragments, each of which reads its own rows. */
const cards = page({
  params,
  load: async ({ params: { size }, db }) => {
    const list = await db.paginate<{ id: number }>({
      table: 'posts',
      columns: ['id'],
      orderBy: newest,
      pageSize: size,
      after: null,
    });
    const ids = list.rows.map((post) => post.id);
    return { ids, comments: await commentCounts(db, ids) };
  },
  head: () => ({ title: 'Posts' }),
  view: ({ ids, comments }) => ({
    div: { className: 'ruled', children: ids.map((id) => postCard({ id, comments: comments.get(id) ?? 0 })) },
  }),
});

const modules = [
  { file: '_layout', exported: layout },
  { file: 'index', exported: home },
  { file: 'posts/index', exported: posts },
  { file: 'users/index', exported: people },
  { file: 'users/[id]', exported: person },
  { file: 'search', exported: search },
  { file: 'rows/[size]', exported: rows },
  { file: 'cards/[size]', exported: cards },
];

/** A Postgres of its own with the sample's tables, smaller ones; gone in the end. */
export async function startPosts(): Promise<{ readonly url: string } & AsyncDisposable> {
  const folder = mkdtempSync(path.join(tmpdir(), 'coherent-posts-'));
  const postgres = await startEmbeddedPostgres({ dataDir: folder, logger: silent });
  const database = new Database({ connectionString: postgres.url, logger: silent, clock, max: 1 });
  await database.transaction(async (transaction) => {
    await transaction.execute(readFileSync(`${app}schema.sql`, 'utf8'));
    await seedWith(SEED)({
      insert: (table, columns, all) =>
        insertMany(
          (sql, values) => transaction.execute(sql, values),
          table,
          columns,
          all,
          () => {},
        ),
      query: (sql, values) => transaction.query(sql, values),
    });
    await transaction.execute(readFileSync(`${app}indexes.sql`, 'utf8'));
  });
  await database.command('VACUUM (ANALYZE)');
  await database.close();
  return {
    url: postgres.url,
    async [Symbol.asyncDispose]() {
      await postgres.close();
      rmSync(postgres.folder, { recursive: true, force: true });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** `observer`: who collects keys; without one nobody does. */
export async function startSite(url: string, observer: StatementObserver | undefined) {
  const validity = new PurgeClock({ epoch: 'bench' });
  const dependencies = new Dependencies({ clock, logger: silent, maxRefreshes: 0 });
  const caches = openCaches({
    clock,
    log: silent,
    random: Math.random,
    newId: () => 'id',
    validity,
    pid: process.pid,
    memoryBytes: 100e6,
    staticBytes: 1e6,
    tierObserver: (kind) => dependencies.tierObserver(kind),
  });
  const database = new Database({
    connectionString: url,
    logger: silent,
    clock,
    max: 3,
    ...(observer !== undefined && { observer }),
  });
  const sources = { readScopes: database, fetch: globalThis.fetch, declared: dependencies.graph };
  const timeouts = { hardTimeoutMs: 60_000, softTimeoutMs: 30_000 };
  const application = assemble({ modules, build: 'bench', files: await readPublicFiles(`${app}public`) });
  const fragments = new Fragments({ build: 'bench', sources, clock, timeouts, cache: caches.fragments });
  const renderer = new PageRenderer({ application, sources, fragments, clock, log: silent });
  const pipeline = new PagePipeline({
    application,
    cache: caches.pages,
    renderer,
    timeouts,
    clock,
    log: silent,
    newId: () => 'id',
    random: () => 0,
    showErrors: true,
  });
  const { signal } = new AbortController();
  const db = database.readScope({ signal, keyRecorder: { add: () => {}, untracked: () => {} } });
  return {
    validity,
    /** Renders it, whatever came before, and answers the entry. */
    async render(address: string) {
      await caches.pages.clear();
      const [where = '', query = ''] = address.split('?');
      const { entry: made, outcome } = await pipeline.respond({
        segments: where.split('/').filter(Boolean),
        query,
        header: () => undefined,
        encoding: 'identity',
        waits: () => ({ signal: new AbortController().signal }),
      });
      if (outcome?.result !== 'miss' || made.status !== 200)
        throw new Error(`${address}: ${made.status}, ${outcome?.result}: ${made.identity.toString()}`);
      return made;
    },
    forgetFragments: () => caches.fragments.clear(),
    fragments: () => caches.fragments.recentKeys(1000).flatMap((key) => caches.fragments.peek(key) ?? []),
    /** What one render collects with, and where its statements tell their keys. */
    renderContext(): { readonly renderContext: RenderContext; readonly keyRecorder: KeyRecorder } {
      let heard: KeyRecorder | undefined;
      const readScope = (options: { readonly signal: AbortSignal; readonly keyRecorder: KeyRecorder }) => {
        heard = options.keyRecorder;
        return db;
      };
      const start = { stamp: validity.stamp(), signal, nowMs: 0 };
      const renderContext = new RenderContext(start, { ...sources, readScopes: { readScope } });
      if (heard === undefined) throw new Error('A render without a session');
      return { renderContext, keyRecorder: heard };
    },
    async [Symbol.asyncDispose]() {
      await pipeline.close();
      dependencies.close();
      await caches.close();
      await database.close();
    },
  };
}

export type Site = Awaited<ReturnType<typeof startSite>>;
