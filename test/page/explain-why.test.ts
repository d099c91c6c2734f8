import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { explainText } from '../../src/cli/explain-text.ts';
import { systemClock } from '../../src/core/clock.ts';
import { Database } from '../../src/data/read/database.ts';
import { FollowedSchema } from '../../src/data/record/followed-schema.ts';
import { fragment, notFound, page } from '../../src/index.ts';
import { DependencyGraph } from '../../src/invalidation/graph/graph.ts';
import { assemble } from '../../src/page/application/application.ts';
import { explainWhy } from '../../src/worker/operations/explain-why.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { silent } from '../support/silent.ts';
import { type Site, startSite } from '../support/site.ts';

let held: TestDatabase;
let database: Database;
let site: Site;

const card = fragment('card', {
  key: ({ id }: { id: number }) => id,
  load: ({ key, db }) => db.byId<{ name: string }>('users', key, ['id', 'name']),
  view: (user) => ({ b: user?.name ?? '' }),
});
const application = assemble({
  build: 'b',
  modules: [
    {
      file: 'users/[id]',
      exported: page({
        params: { id: z.coerce.number().int() },
        load: async ({ params, db, dependsOn }) => {
          if (params.id === 9) throw new Error('load failed');
          dependsOn('weather:berlin');
          const posts = await db.query<{ title: string }>('select title from posts where user_id = $1', [
            params.id,
          ]);
          const now = await db.one('select now() as at');
          return posts.length === 0 ? notFound() : { id: params.id, posts, now };
        },
        view: ({ id, posts }) => [card({ id }), ...posts.map(({ title }) => ({ p: title }))],
      }),
    },
  ],
});

beforeAll(async () => {
  held = await testDatabase(`
    create table users (id int primary key, name text);
    create table posts (id int primary key, user_id int, title text); create index on posts (user_id);
    insert into users values (7, 'Ada'); insert into posts values (1, 7, 'One');`);
  const schema: FollowedSchema = new FollowedSchema({
    read: (sql) => database.run(sql),
    publication: null,
    logger: silent,
  });
  database = new Database({
    connectionString: held.url,
    logger: silent,
    clock: systemClock,
    max: 2,
    observer: schema,
  });
  site = await startSite({ application, readScopes: database });
});
afterAll(async () => {
  await site.close();
  await database.close();
  await held.close();
});

function why(url: string) {
  const declared = new DependencyGraph();
  declared.addDependency('users#7', 'org:1');
  return explainWhy(url, {
    pipeline: site.pipeline,
    application,
    sources: { readScopes: database, fetch: globalThis.fetch, declared },
    clock: systemClock,
    log: silent,
    stamp: () => ({ epoch: 'e', seq: 0 }),
  });
}

describe('explain', () => {
  it('names the statement that gave each key, in the fragments, too, and what the key means', async () => {
    const told = await why('/users/7');
    const keys = new Map(told && 'keys' in told ? told.keys.map(({ key, ...rest }) => [key, rest]) : []);
    expect(keys.get('posts.user_id=7')).toEqual({
      meaning: 'rows of posts come to, or leave, those with user_id = 7',
      from: ['select title from posts where user_id = $1'],
    });
    expect(keys.get('users#7')?.from).toEqual(['SELECT "id", "name" FROM "public"."users" WHERE "id" = $1']);
    expect(keys.get('weather:berlin')).toEqual({
      meaning: 'a key of the application',
      from: ['dependsOn()'],
    });
    expect(keys.get('org:1')?.from).toEqual(['addDependency()']);
    expect(told && 'untracked' in told && told.untracked.join()).toContain('now()');
  });

  it('says that a page fails, and that none is there', async () => {
    expect(await why('/users/9')).toEqual({ error: 'load failed' });
    expect(await why('/nowhere')).toBeUndefined();
    expect(await why('//')).toBeUndefined();
  });

  it('reads as a list of statements with their keys', async () => {
    const tiers = [{ tier: 'l1', verdict: 'valid', madeAt: 'then', freshUntil: 'later' }];
    const worker = { url: '/users/7', route: '/users/[id]', entry: 'e', keys: [{ key: 'users' }], tiers };
    const text = explainText({ workers: [worker, { ...worker, tiers: [] }], why: await why('/users/7') });
    expect(text).toContain('worker 1  l1 valid, made then, fresh until later');
    expect(text).toContain('worker 2  held nowhere');
    expect(text).toMatch(
      / {2}select title from posts where user_id = \$1\n(.*\n)* {4}posts\.user_id=7 +rows of posts come to/,
    );
    expect(text).toContain('No purge tells of');
    expect(explainText({ workers: [worker], why: { error: 'x' } })).toContain('Made from:\n  users');
    expect(
      explainText({
        workers: [
          {
            key: 'users#1',
            purges: ['users#1', 'front'],
            pages: ['p'],
            fragments: [],
            counts: { page: 3, fragment: 0 },
          },
        ],
      }),
    ).toContain('and 2 more');
    expect(explainText({ error: 'no' })).toBeUndefined();
  });
});
