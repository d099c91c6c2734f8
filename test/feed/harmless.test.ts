// What an owner may do to their tables, they may do while a feed follows them: every kind of table, under every kind of
// statement, in two databases of which one is followed. All that works in the other must work in that one.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareSql } from '../../src/data/feed/install-sql.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { until } from '../support/redis.ts';
import { startFeed, type TestFeed } from './fixture.ts';

/** Each makes a table `t` with a column `v`, in a schema of its own. */
const kinds: Readonly<Record<string, string>> = {
  'a primary key': 'create table t (id int primary key, v int)',
  'a primary key of two columns': 'create table t (id int, k int default 1, v int, primary key (id, k))',
  'a deferrable primary key': 'create table t (id int primary key deferrable, v int)',
  'no key': 'create table t (id int, v int)',
  'full identity': 'create table t (id int primary key, v int); alter table t replica identity full',
  'full identity and no key': 'create table t (id int, v int); alter table t replica identity full',
  'an index as its identity':
    'create table t (id int not null, v int); create unique index t_pkey on t (id); alter table t replica identity using index t_pkey',
  'no identity': 'create table t (id int primary key, v int); alter table t replica identity nothing',
  'a stored column': 'create table t (id int primary key, v int, g int generated always as (v * 2) stored)',
  'a stored column and full identity':
    'create table t (id int primary key, v int, g int generated always as (v * 2) stored); alter table t replica identity full',
  'a stored column in its key':
    'create table t (id int, v int, g int generated always as (id * 2) stored not null, constraint t_pkey primary key (g))',
  'a virtual column and full identity':
    'create table t (id int primary key, v int, g int generated always as (v * 2) virtual); alter table t replica identity full',
  'rows that nobody logs': 'create unlogged table t (id int primary key, v int)',
  partitions:
    'create table t (id int primary key, v int) partition by range (id); create table t1 partition of t for values from (0) to (10); create table t2 partition of t default',
  'partitions of differing identities':
    'create table t (id int primary key, v int) partition by range (id); create table t1 partition of t for values from (0) to (10); create table t2 partition of t default; alter table t1 replica identity full',
  'partitions without a key':
    'create table t (id int, v int) partition by range (id); create table t1 partition of t for values from (0) to (10); create table t2 partition of t default',
  children: 'create table t (id int primary key, v int); create table t1 () inherits (t)',
  'an odd name':
    'create table "T""; drop" (id int primary key, v int); create view t as select * from "T""; drop"',
};

const WRITES = [
  'insert into t (id, v) values (3, 3), (4, 4)',
  'update t set v = v + 1',
  'update t set id = id + 100 where id = 4',
  'delete from t where id = 3',
];

/** Statements of the owner, one after the other; where one fails the rest goes on, as scripts do. */
const deeds: Readonly<Record<string, readonly string[]>> = {
  writes: [
    ...WRITES,
    'merge into t using (values (1)) s (id) on t.id = s.id when matched then update set v = 9',
    'truncate t',
  ],
  'drops the key, in one transaction': [
    'begin',
    'alter table t drop constraint t_pkey',
    ...WRITES,
    'commit',
    ...WRITES,
  ],
  'drops the key': ['alter table t drop constraint t_pkey', ...WRITES],
  'drops the index': ['drop index t_pkey', ...WRITES],
  'changes the key': [
    'begin',
    'alter table t drop constraint t_pkey',
    'update t set id = id + 1',
    'alter table t add primary key (id)',
    ...WRITES,
    'commit',
    ...WRITES,
  ],
  'drops the column of the key': [
    'alter table t drop column id cascade',
    'update t set v = 1',
    'delete from t',
  ],
  'has no identity for a while': [
    'alter table t replica identity nothing',
    ...WRITES,
    'alter table t replica identity full',
    ...WRITES,
    'alter table t replica identity default',
    ...WRITES,
  ],
  'logs nothing for a while': [
    'begin',
    'alter table t set unlogged',
    ...WRITES,
    'commit',
    ...WRITES,
    'alter table t set logged',
    ...WRITES,
  ],
  'logs nothing, said by a program': [
    "do $$ begin execute format('alter table %I.%I set unlogged', current_schema, 't'); end $$",
    ...WRITES,
  ],
  'adds a stored column': [
    'begin',
    'alter table t add column s int generated always as (v + 1) stored',
    ...WRITES,
    'commit',
    ...WRITES,
  ],
  'adds a virtual column': [
    'begin',
    'alter table t add column w int generated always as (v + 1) virtual',
    ...WRITES,
    'commit',
    ...WRITES,
  ],
  renames: [
    'alter table t rename to u',
    'update u set v = 0',
    'alter table u rename column v to x',
    'update u set x = 1',
  ],
  'moves it elsewhere': [
    'create schema elsewhere_$$',
    'alter table t set schema elsewhere_$$',
    'update elsewhere_$$.t set v = 0',
    'drop schema elsewhere_$$ cascade',
  ],
  'changes types': [
    'alter table t alter column v type text using v::text',
    "update t set v = 'x'",
    'alter table t alter column id type bigint',
    "update t set v = 'y'",
  ],
  'attaches and detaches': [
    'create table p (id int not null, v int)',
    'insert into p values (1001, 1)',
    'alter table t detach partition t2',
    'update t2 set v = 4',
    'alter table t attach partition p for values from (1000) to (2000)',
    'update t set v = 5',
    'update p set v = 6',
    'alter table t detach partition p',
    'update p set v = 7',
  ],
  'attaches one without a log': [
    'create unlogged table p (id int primary key, v int)',
    'alter table t attach partition p for values from (1000) to (2000)',
    'insert into t (id, v) values (1001, 1)',
    'update t set v = 5',
    'drop table p',
    'update t set v = 6',
  ],
  'takes the identity of a part': [
    'alter table t1 replica identity nothing',
    'update t1 set v = 5',
    'update t set v = 6',
    'delete from t1',
  ],
  'makes others of it': [
    'create table c as select * from t',
    'update c set v = 1',
    'select * into d from t',
    'update d set v = 1',
    'create table l (like t including all)',
    'insert into l (id, v) values (1, 1)',
    'update l set v = 1',
    'create temp table x_$$ as select * from t',
    'update x_$$ set v = 2',
    'create materialized view m as select * from t',
    'refresh materialized view m',
    'create table h () inherits (t)',
    'update h set v = 1',
    'update t set v = 3',
  ],
  'publishes it, too': [
    'create publication p_$$ for table t (id, v)',
    ...WRITES,
    "alter publication p_$$ set (publish = 'insert')",
    ...WRITES,
    'alter publication p_$$ drop table t',
    'drop publication p_$$',
  ],
  'puts rules and rights on it': [
    'alter table t enable row level security',
    'create policy p on t using (true)',
    'alter table t force row level security',
    ...WRITES,
    "create function f() returns trigger language plpgsql as 'begin return new; end'",
    'create trigger g before update on t for each row execute function f()',
    'grant select on t to public',
    'comment on table t is $c$said$c$',
    ...WRITES,
  ],
  'keeps it up': [
    'vacuum t',
    'analyze t',
    'reindex table t',
    'cluster t using t_pkey',
    'lock table t in access exclusive mode',
    'alter table t alter column v set statistics 10',
    'alter table t disable trigger all',
    ...WRITES,
  ],
  'drops it and makes it again': [
    'drop table t cascade',
    'create table t (id int primary key, v int)',
    ...WRITES,
    'drop schema $$ cascade',
  ],
};

/** Without event triggers nobody takes a table out in time; the guide says so, with the command that does: coherent.unfollow. */
const refusedWithoutTriggers =
  /set unlogged|unlogged table|replica identity nothing|virtual|identity default/;

type Outcome = readonly string[];
const cases = Object.keys(kinds).flatMap((kind) => Object.keys(deeds).map((deed) => ({ kind, deed })));
const schemaOf = (at: number) => `s${at}`;

describe('a followed database', () => {
  let role: string;
  let admin: TestDatabase;
  const databases: TestDatabase[] = [];
  const clients: pg.Client[] = [];
  let feeds: TestFeed[] = [];
  let plain: Outcome[] = [];
  let followed: Outcome[] = [];
  let untriggered: Outcome[] = [];

  const asOwner = (database: TestDatabase): string => {
    const url = new URL(database.url);
    url.username = role;
    url.password = 'secret';
    return url.href;
  };

  async function laidOut(): Promise<{ database: TestDatabase; client: pg.Client }> {
    const database = await testDatabase();
    databases.push(database);
    await database.query(`alter database ${database.name} owner to ${role}`);
    const client = new pg.Client({ connectionString: asOwner(database) });
    await client.connect();
    clients.push(client);
    for (const [at, { kind }] of cases.entries())
      await client.query(
        `create schema ${schemaOf(at)}; set search_path = ${schemaOf(at)}; ${kinds[kind]};
         insert into t (id, v) values (1, 1), (2, 2), (20, 20)`,
      );
    return { database, client };
  }

  async function outcomes(client: pg.Client): Promise<Outcome[]> {
    const all: Outcome[] = [];
    for (const [at, { deed }] of cases.entries()) {
      const said: string[] = [];
      await client.query(`set search_path = ${schemaOf(at)}`);
      for (const statement of deeds[deed] ?? []) {
        const sql = statement
          .replaceAll('_$$', `_${schemaOf(at)}`)
          .replace('schema $$', `schema ${schemaOf(at)}`);
        said.push(
          await client.query(sql).then(
            ({ rowCount }) => `${sql}: ${rowCount ?? 'done'}`,
            (error: { code: string }) => `${sql}: ${error.code}`,
          ),
        );
      }
      await client.query('rollback');
      all.push(said);
    }
    return all;
  }

  /** Every table that can be followed is. */
  async function followsAll(database: TestDatabase, byKey: boolean): Promise<void> {
    await until(async () => {
      const rows = await database.query(
        `select 1 from pg_class c where c.relnamespace::regnamespace::text ~ '^s[0-9]' and c.relkind in ('r', 'p') and not c.relispartition
         and coherent.qualifies(c.oid) and ($1 or c.relreplident = 'f' and c.relkind = 'r') and not exists (select from pg_publication_rel r
           join pg_publication p on p.oid = r.prpubid where p.pubname = 'coherent_tracked' and r.prrelid = c.oid) limit 1`,
        [byKey],
      );
      return rows.length === 0;
    });
  }

  beforeAll(async () => {
    admin = await testDatabase();
    role = `owner_${admin.name}`;
    await admin.query(`create role ${role} login replication password 'secret'`);
    plain = await outcomes((await laidOut()).client);
    const one = await laidOut();
    await one.database.query(prepareSql(role));
    feeds.push(await startFeed(asOwner(one.database)));
    await followsAll(one.database, true);
    followed = await outcomes(one.client);
    const two = await laidOut();
    feeds.push(await startFeed(asOwner(two.database)));
    await followsAll(two.database, false);
    untriggered = await outcomes(two.client);
  }, 120_000);
  afterAll(async () => {
    await Promise.all(feeds.map(({ feed }) => feed.close()));
    feeds = [];
    await Promise.all(clients.map((client) => client.end()));
    for (const database of databases) await database.close();
    await admin.query(`drop role ${role}`);
    await admin.close();
  });

  it.each(cases.map((each, at) => ({ ...each, at })))(
    'lets the owner of a table with $kind: $deed',
    ({ at }) => {
      expect(followed[at]).toEqual(plain[at]);
    },
  );

  it('refuses without event triggers only what the guide says', () => {
    for (const [at, { kind, deed }] of cases.entries()) {
      const text = (deeds[deed] ?? []).join(';') + kinds[kind];
      if (!refusedWithoutTriggers.test(text))
        expect({ kind, deed, said: untriggered[at] }).toEqual({ kind, deed, said: plain[at] });
    }
  });
});
