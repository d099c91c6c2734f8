// From COMMIT to a webhook and to the application's own watchers, by the feed's process, which is killed on the way.
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { Feed } from '../../src/cluster/children/feed.ts';
import { systemClock } from '../../src/core/clock.ts';
import { stateOfProcess } from '../../src/host-link/heartbeat.ts';
import { MessageRouter } from '../../src/host-link/message-router.ts';
import { PURGES_CHANNEL } from '../../src/host-link/messages.ts';
import { HostRelay } from '../../src/host-link/purges/host-relay.ts';
import { type Program, program } from '../support/child.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { freePort, until } from '../support/redis.ts';
import { silent } from '../support/silent.ts';
import { isSigned, Receiver } from './receiver.ts';

const SECRET = 'a-secret-of-sixteen';

let worker: Program;
let database: TestDatabase;
let folder: string;
let port: number;
let feed: Feed;
let relay: HostRelay;
beforeAll(async () => {
  worker = await program(new URL('../../workers/feed.ts', import.meta.url));
});
afterAll(() => worker.remove());

beforeEach(async () => {
  database = await testDatabase('create table users (id int primary key, name text)');
  await database.query('set synchronous_commit = on');
  folder = mkdtempSync(join(tmpdir(), 'coherent-watchers-'));
  port = await freePort();
});
afterEach(async () => {
  await feed.close();
  await relay.close();
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(environment: Record<string, string> = {}): Promise<void> {
  const rooms = new MessageRouter();
  relay = new HostRelay({ folder, clock: systemClock, logger: silent, newEpoch: randomUUID });
  rooms.open(PURGES_CHANNEL, relay);
  const config = loadConfig({
    environment: {
      LOG_LEVEL: 'silent',
      WORKERS: '1',
      DATABASE_URL: database.url,
      PURGE_WEBHOOK_URL: `http://127.0.0.1:${port}/purged`,
      PURGE_WEBHOOK_SECRET: SECRET,
      ...environment,
    },
    cwd: '/nonexistent',
  });
  feed = new Feed({
    file: worker.file,
    config: () => config,
    clock: systemClock,
    random: Math.random,
    logger: silent,
    stateOf: stateOfProcess,
    events: {
      onVerdict: () => {},
      onChannelMessage: (from, room, body) => rooms.receive(from, room, body),
      onExit: (from) => rooms.gone(from),
    },
  });
  await feed.start();
  await until(() => feed.snapshot().state === 'leading');
  await until(
    async () =>
      (await database.query("select 1 from pg_publication_tables where pubname = 'coherent_tracked'"))
        .length === 1,
  );
}

const waiting = async () =>
  Number((await database.query<{ rows: string }>('select count(*) as rows from coherent.outbox'))[0]?.rows);
const held = async () =>
  (await database.query<{ keys: string | null }>('select keys from coherent.outbox')).flatMap(
    ({ keys }): string[] => JSON.parse(keys ?? '[]'),
  );

describe('a webhook', { timeout: 120_000 }, () => {
  it('that was down is told of all that was committed meanwhile, though the feed was killed twice', async () => {
    await start();
    await database.query("insert into users values (1, 'a')");
    await until(async () => (await held()).includes('users#1'));
    process.kill(Number(feed.snapshot().pid), 'SIGKILL');
    await database.query("insert into users values (2, 'b')");
    await until(async () => (await held()).includes('users#2'));
    process.kill(Number(feed.snapshot().pid), 'SIGKILL');
    await database.query("select coherent.purge('weather:berlin')");

    const receiver = new Receiver();
    await receiver.listen(port);
    await until(() => ['users#1', 'users#2', 'weather:berlin'].every((key) => receiver.keys.includes(key)));
    await until(async () => (await waiting()) === 0);
    const { keys, received } = receiver;
    expect(keys.indexOf('users#1')).toBeLessThan(keys.indexOf('users#2'));
    expect(keys.indexOf('users#2')).toBeLessThan(keys.indexOf('weather:berlin'));
    expect(received.every((each) => isSigned(each, SECRET))).toBe(true);
    expect(received.some((each) => isSigned(each, 'another-secret-of'))).toBe(false);
    await receiver.close();
  });

  it('is written down before the position of the log is acknowledged', async () => {
    await start();
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query('begin; lock table coherent.outbox in access exclusive mode');
    await database.query("insert into users values (3, 'c')");
    const [{ lsn } = { lsn: '' }] = await database.query<{ lsn: string }>(
      'select pg_current_wal_insert_lsn()::text as lsn',
    );
    await until(async () => {
      const waits = await database.query(
        "select 1 from pg_stat_activity where application_name = 'coherent-watchers' and wait_event_type = 'Lock' and datname = current_database()",
      );
      return waits.length > 0;
    });
    // Three more words of the feed to the server, in each of which it could have acknowledged the change.
    const replies = new Set<string>();
    await until(async () => {
      const said = await database.query<{ at: string }>(
        'select reply_time::text as at from pg_stat_replication where pid in (select active_pid from pg_replication_slots where database = current_database())',
      );
      for (const { at } of said) replies.add(at);
      return replies.size > 3;
    });
    const isAcknowledged = async () =>
      (
        await database.query(
          'select 1 from pg_replication_slots where database = current_database() and confirmed_flush_lsn >= $1::pg_lsn',
          [lsn],
        )
      ).length > 0;
    expect(await isAcknowledged()).toBe(false);
    await other.query('rollback');
    await other.end();
    await until(isAcknowledged);
    expect(await held()).toContain('users#3');
  });

  it('that took a purge and could not say so gets it again under the same idempotency key', async () => {
    const receiver = new Receiver();
    // It takes everything and confirms nothing.
    receiver.answer = () => {};
    await receiver.listen(port);
    await start();
    await until(() => receiver.received.length === 1);
    process.kill(Number(feed.snapshot().pid), 'SIGKILL');
    await until(() => receiver.received.length === 2);
    const [first, second] = receiver.received;
    expect(second?.headers['idempotency-key']).toBe(first?.headers['idempotency-key']);
    expect(second?.body).toBe(first?.body);
    await receiver.close();
  });
});

describe('the watchers of an application', { timeout: 120_000 }, () => {
  it('run in the process of the feed, see declared dependencies, and are called again for what they refused', async () => {
    const app = join(folder, 'app');
    const notes = join(folder, 'notes.jsonl');
    mkdirSync(app);
    writeFileSync(join(app, 'package.json'), '{"type":"module"}');
    writeFileSync(
      join(app, 'app.js'),
      `import { appendFileSync } from 'node:fs';
       let calls = 0;
       export default { declare({ addDependency, watch }) {
         addDependency('front-page', 'weather:*');
         addDependency('front-page', 'weather:berlin');
         watch('front-*', async ({ id, keys }) => {
           appendFileSync(${JSON.stringify(notes)}, JSON.stringify({ id, keys, pid: process.pid }) + '\\n');
           if (++calls === 1) throw new Error('not now');
         });
       } };`,
    );
    const receiver = new Receiver();
    await receiver.listen(port);
    await start({ APP: app });
    const told = () => {
      try {
        return readFileSync(notes, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
      } catch {
        return [];
      }
    };
    // The first leader of a database has everything purged; that is the call that is refused.
    await until(() => told().length === 2);
    expect(told()[1].id).toBe(told()[0].id);
    await database.query("select coherent.purge('weather:berlin', 'weather:rome')");
    await until(() => told().length === 3);
    expect(told()[2]).toMatchObject({ keys: ['front-page'], pid: feed.snapshot().pid });
    await until(() => receiver.keys.includes('front-page'));
    await receiver.close();
  });
});
