// What a role needs, and what happens without it.
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FeedUnavailableError } from '../../src/data/feed/errors.ts';
import { prepareSql } from '../../src/data/feed/install-sql.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { until } from '../support/redis.ts';
import { launchFeed, settled, startFeed, type TestFeed, trackedTables } from './fixture.ts';

describe('the change feed under a role that is no superuser', () => {
  let database: TestDatabase;
  let running: TestFeed[];
  let role: string;

  beforeEach(async () => {
    running = [];
    database = await testDatabase();
    role = `role_${database.name}`;
    await database.query(`create role ${role} login password 'secret'; set synchronous_commit = on`);
  });
  afterEach(async () => {
    await Promise.all(running.map(({ feed }) => feed.close()));
    const admin = await testDatabase();
    await database.close();
    await admin.query(`drop role ${role}`);
    await admin.close();
  });

  const as = (name: string): string => {
    const url = new URL(database.url);
    url.username = name;
    url.password = 'secret';
    return url.href;
  };

  it('works for the owner of the tables, who looks for changed definitions', async () => {
    await database.query(`alter role ${role} replication; grant create on database ${database.name} to ${role};
      grant create on schema public to ${role}; set role ${role};
      create table users (id int primary key, name text); insert into users values (1, 'one');
      alter table users replica identity full; reset role`);
    const started = await startFeed(as(role));
    running.push(started);
    await until(async () => (await trackedTables(database)).includes('users'));
    await settled(database, started.bus);
    started.bus.forget();
    await database.query("update users set name = 'two'");
    await until(() => started.bus.has('users#1'));
    expect(await database.query('select 1 from pg_event_trigger')).toEqual([]);
    started.bus.forget();
    await database.query('alter table users add column age int');
    await until(() => started.bus.has('users'));
    await database.query("insert into users values (2, 'x', 1)");
    await until(() => started.bus.has('users#2'));
  });

  it('leaves a table alone whose owner could drop its key, where no event trigger would take it out; unless told otherwise', async () => {
    await database.query(`alter role ${role} replication; grant create on database ${database.name} to ${role};
      grant create on schema public to ${role}; set role ${role};
      create table users (id int primary key, name text);
      create table posts (id int primary key, title text); alter table posts replica identity full; reset role`);
    const careful = await startFeed(as(role));
    running.push(careful);
    await until(async () => (await trackedTables(database)).includes('posts'));
    expect(await trackedTables(database)).toEqual(['posts']);
    await careful.feed.close();
    running.push(await startFeed(as(role), { withoutTriggers: 'all' }));
    await until(async () => (await trackedTables(database)).includes('users'));
  });

  it('is prepared by an administrator who is no superuser: what they may not do is left out', async () => {
    const admin = `${role}_admin`;
    await database.query(`create role ${admin} login createrole password 'secret'; alter role ${role} replication;
      grant create on database ${database.name} to ${admin}; grant create on schema public to ${admin}; set role ${admin};
      create table users (id int primary key, name text); alter table users replica identity full; reset role`);
    const client = new pg.Client({ connectionString: as(admin) });
    const warnings: (string | undefined)[] = [];
    client.on('notice', ({ severity, message }) => severity === 'WARNING' && warnings.push(message));
    await client.connect();
    await client.query(prepareSql(role));
    await client.end();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('no event triggers');
    const started = await startFeed(as(role));
    running.push(started);
    await until(async () => (await trackedTables(database)).includes('users'));
    await database.query("insert into users values (3, 'three')");
    await until(() => started.bus.has('users#3'));
    await started.feed.close();
    await database.query(`drop owned by ${admin} cascade; drop role ${admin}`);
  });

  it('is not told what to purge by just any role, and owners take their own tables out', async () => {
    const other = `${role}_other`;
    await database.query(`create role ${other} login password 'secret';
      create table users (id int primary key, name text); create table theirs (id int primary key);
      alter table theirs owner to ${other}`);
    await database.query(prepareSql(role));
    const started = await startFeed(as(role));
    running.push(started);
    await until(async () => (await trackedTables(database)).length === 2);
    const client = new pg.Client({ connectionString: as(other) });
    await client.connect();
    for (const sql of ["select coherent.purge('users#1')", "select coherent.unfollow('users')"])
      await expect(client.query(sql)).rejects.toMatchObject({ code: '42501' });
    await client.query("select coherent.unfollow('theirs')");
    await client.query('alter table theirs set unlogged; alter table theirs set logged');
    await until(async () => (await trackedTables(database)).join() === 'users');
    await client.query("select coherent.follow('theirs')");
    await until(async () => (await trackedTables(database)).length === 2);
    const owner = new pg.Client({ connectionString: as(role) });
    await owner.connect();
    await owner.query("select coherent.purge('weather:berlin')");
    await until(() => started.bus.has('weather:berlin'));
    await Promise.all([client.end(), owner.end()]);
    await database.query(`drop owned by ${other} cascade; drop role ${other}`);
  });

  it('works for a role that owns nothing, once a DBA has run the script', async () => {
    await database.query(
      "create table users (id int primary key, name text); insert into users values (1, 'one')",
    );
    await database.query(prepareSql(role));
    await database.query(prepareSql(role)); // safe to run again
    const started = await startFeed(as(role));
    running.push(started);
    await until(async () => (await trackedTables(database)).includes('users'));
    await database.query("update users set name = 'two'");
    await until(() => started.bus.has('users#1'));
  });

  async function refusal(): Promise<FeedUnavailableError> {
    return await new Promise((resolve) => {
      running.push(
        launchFeed(as(role), { onState: (_state, error) => error !== undefined && resolve(error) }),
      );
    });
  }

  it('says that it may not install, and who could', async () => {
    await database.query(`alter role ${role} replication`);
    const error = await refusal();
    expect(error.code).toBe('E_FEED_RIGHTS');
    expect(error.message).toContain('CREATE on the database');
    expect(error.message).toContain('db prepare');
  });

  it('says that it may not read the log, and how to allow it', async () => {
    await database.query(`grant create on database ${database.name} to ${role}`);
    const error = await refusal();
    expect(error.code).toBe('E_FEED_RIGHTS');
    expect(error.message).toContain('REPLICATION');
  });
});
