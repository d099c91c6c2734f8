// What is done to the fleet. A fault is done while pages are read and rows written, lasts longer than the bound where
// it lasts at all, and is undone; the check then waits until the fleet is whole again.
import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pause } from '../support/pause.ts';
import { signal } from '../support/processes.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import type { CopyKind } from './database.ts';
import type { Fleet } from './fleet.ts';
import type { Host } from './host.ts';
import type { Random } from './random.ts';

export interface Situation {
  readonly fleet: Fleet;
  readonly random: Random;
  /** How long a fault lasts: beyond the bound, so that what it breaks has the time to show. */
  readonly lastMs: number;
  /** Nobody writes while `work` is done. */
  readonly still: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Resolves when it is over and undone. */
export type Fault = (situation: Situation) => Promise<void>;

const STOPPED_MS = 3_000;
/** Before the primary has found out that a process does nothing, and kills it. */
const STOPPED_BRIEFLY_MS = 900;
const LONG_MS = 16_000;
const HOUR_MS = 3_600_000;

/** These need a Redis, or a second host. */
export const OF_A_FLEET = / Redis|subscribers|two feeds|forge/;
/** These need --pooler. */
export const OF_A_POOLER = /pooler/;

export const FAULTS: Readonly<Record<string, Fault>> = {
  calm: ({ lastMs }) => pause(lastMs),

  'kill worker': async ({ fleet, random }) => {
    for (const box of fleet.boxes) kill(one(box.workerPids(), random));
    await pause(1000);
  },
  'kill feeds': async ({ fleet, lastMs }) => {
    for (const box of fleet.boxes) for (const pid of box.feedPids()) kill(pid);
    await pause(lastMs);
  },
  'kill primary': async ({ fleet, random }) => {
    const box = hostOf(fleet, random);
    await box.killPrimary();
    await pause(random() * 1000);
    await box.start();
  },
  'stop worker': async ({ fleet, random }) => {
    const pids = fleet.boxes.map((box) => one(box.workerPids(), random));
    for (const pid of pids) if (pid !== undefined) signal(pid, 'SIGSTOP');
    await pause(STOPPED_MS);
    for (const pid of pids) if (pid !== undefined) signal(pid, 'SIGCONT');
  },
  'stop feeds': async ({ fleet }) => {
    const pids = fleet.boxes.flatMap((box) => box.feedPids());
    for (const pid of pids) signal(pid, 'SIGSTOP');
    await pause(STOPPED_MS + 1000);
    for (const pid of pids) signal(pid, 'SIGCONT');
  },
  'stop worker for good': async ({ fleet, random }) => {
    // Nobody continues it: the primary has to find and replace it.
    const pids = fleet.boxes.flatMap((box) => one(box.workerPids(), random) ?? []);
    for (const pid of pids) signal(pid, 'SIGSTOP');
    await gone(pids);
  },
  'stop feeds for good': async ({ fleet }) => {
    const pids = fleet.boxes.flatMap((box) => box.feedPids());
    for (const pid of pids) signal(pid, 'SIGSTOP');
    await gone(pids);
  },
  reload: async ({ fleet }) => {
    for (const box of fleet.boxes) signal(box.primaryPid, 'SIGHUP');
    await pause(3000);
  },

  'kill subscribers': async ({ fleet }) => {
    for (let times = 0; times < 15; times++) {
      await fleet.redisAdmin.client('KILL', 'TYPE', 'PUBSUB');
      await pause(150);
    }
  },
  'lose messages of Redis': async ({ fleet, random, lastMs }) => {
    // Connections stay up, and nobody is told: half of what is said on channels does not arrive.
    for (const { redis } of fleet.boxes)
      redis.inspect((piece, from) =>
        from === 'server' && isMessage(piece) && random() < 0.5 ? 'lose' : 'pass',
      );
    await pause(lastMs);
    for (const { redis } of fleet.boxes) redis.inspect(undefined);
  },
  'pause Redis': async ({ fleet, lastMs }) => {
    await fleet.redisAdmin.client('PAUSE', lastMs, 'ALL');
    await pause(lastMs);
  },
  'pause Redis for long': async ({ fleet }) => {
    // Long enough for several renders of the sluggish page, one after the other.
    await fleet.redisAdmin.client('PAUSE', LONG_MS, 'ALL');
    await pause(LONG_MS);
  },
  'restart Redis': ({ fleet }) => fleet.restartRedis('saved', () => pause(300)),
  'empty Redis': ({ fleet }) => fleet.restartRedis('saved', async (folder) => forgetDump(folder)),
  'crash Redis': async ({ fleet, random }) => {
    // It comes back with what it held a while ago, and forgets the purges it has acknowledged since.
    await fleet.redisAdmin.save();
    await pause(500 + random() * 1500);
    await fleet.restartRedis('killed', async () => {});
  },
  'fail over Redis': ({ fleet, random }) => fleet.failOverRedis(500 + random() * 1500),
  'flush Redis': async ({ fleet }) => {
    await fleet.redisAdmin.flushall();
    await pause(500);
  },
  'old connections to Redis fall silent': ({ fleet, lastMs }) => silenceOld(fleet, lastMs, () => true),
  'old subscriptions to Redis fall silent': ({ fleet, lastMs }) => silenceOld(fleet, lastMs, subscribes),
  'old commands to Redis fall silent': ({ fleet, lastMs }) =>
    silenceOld(fleet, lastMs, (said) => !subscribes(said)),
  'fill Redis': async ({ fleet, lastMs }) => {
    const redis = fleet.redisAdmin;
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
    try {
      for (let index = 0; index < 200; index++) await redis.set(`foreign${index}`, Buffer.alloc(2 ** 20));
    } catch {
      // It is full.
    }
    await pause(lastMs);
    await redis.config('SET', 'maxmemory-policy', 'volatile-lru');
    for (let index = 0; index < 200; index++) await redis.unlink(`foreign${index}`);
  },
  'put keys of Redis back': async ({ fleet, random }) => {
    const redis = fleet.redisAdmin;
    for (let times = 0; times < 3; times++) {
      const keys = (await redis.keys('{coherent:*')).filter(() => times === 0 || random() < 0.5);
      const old: (readonly [string, Buffer])[] = [];
      for (const key of keys) old.push([key, (await redis.dumpBuffer(key)) ?? Buffer.alloc(0)]);
      await pause(300 + random() * 700);
      const restoring = redis.multi();
      for (const [key, dump] of old) if (dump.length > 0) restoring.restore(key, 0, dump, 'REPLACE');
      await restoring.exec();
      await pause(500);
    }
  },
  'forge messages of Redis': async ({ fleet, lastMs }) => {
    const redis = fleet.redisAdmin;
    const until = performance.now() + lastMs;
    while (performance.now() < until) {
      for (const channel of (await redis.pubsub('CHANNELS', '{coherent:*')) as string[]) {
        const state = channel.replace(/purges$/, 'state');
        const [epoch, seq, secret] = await redis.hmget(state, 'epoch', 'seq', 'secret');
        for (let ahead = 1; ahead <= 20; ahead++) {
          const text = `${epoch} ${Number(seq) + ahead} purge ["items#0"]`;
          await redis.publish(channel, text);
          await redis.publish(channel, `${'0'.repeat(40)} ${text}`);
        }
        // Once by one who has read the secret.
        if (performance.now() + lastMs / 2 > until && secret !== null) {
          const text = `${epoch} ${Number(seq) + 1} purge ["items#0"]`;
          await redis.publish(
            channel,
            `${createHash('sha1')
              .update(secret + text)
              .digest('hex')} ${text}`,
          );
        }
      }
      await pause(200);
    }
  },
  'delay Redis': (situation) => disturbed(situation, 'redis', 'delay'),
  'cut Redis': (situation) => disturbed(situation, 'redis', 'cut'),
  'silence Redis': (situation) => disturbed(situation, 'redis', 'silence'),

  'end sessions': async ({ fleet }) => {
    for (let times = 0; times < 5; times++) {
      await fleet.admin.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name <> 'coherence-admin' and backend_type in ('client backend', 'walsender')",
      );
      await pause(400);
    }
  },
  'restart Postgres': async ({ fleet }) => {
    await fleet.database.inTurn(() => fleet.database.restart());
    await pause(500);
  },
  'drop slot': async ({ fleet }) => {
    for (let tries = 0; tries < 200; tries++) {
      await fleet.admin.query(
        'select pg_terminate_backend(active_pid) from pg_replication_slots where active',
      );
      try {
        await fleet.admin.query(
          'select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active',
        );
        const left = await fleet.admin.query('select 1 from pg_replication_slots');
        if (left.length === 0) break;
      } catch {
        // Its reader was quicker.
      }
    }
    await pause(500);
  },
  'lose log': async ({ fleet }) => {
    // The feeds sleep while more is written than the server keeps for them (fleet.ts): their slot's `wal_status` is `lost`.
    const pids = fleet.boxes.flatMap((box) => box.feedPids());
    for (const pid of pids) signal(pid, 'SIGSTOP');
    for (let tries = 0; tries < 20; tries++) {
      await fleet.admin.query('select pg_switch_wal()');
      await fleet.admin.query('checkpoint');
      const slots = await fleet.admin.query("select 1 from pg_replication_slots where wal_status = 'lost'");
      if (slots.length > 0) break;
      await pause(100);
    }
    await pause(1000);
    for (const pid of pids) signal(pid, 'SIGCONT');
    await pause(1000);
  },
  'two feeds': async ({ fleet }) => {
    // Whichever leads is stopped while the server takes the slot from it, and then believes that it still leads.
    for (const box of fleet.boxes) {
      const pids = box.feedPids();
      for (const pid of pids) signal(pid, 'SIGSTOP');
      box.feedLine.cut();
      await pause(STOPPED_BRIEFLY_MS);
      for (const pid of pids) signal(pid, 'SIGCONT');
      await pause(500);
    }
  },
  'two feeds of one name': (situation) =>
    // Of a clone and of its original, on one Redis.
    moved(situation, 'clone', situation.fleet.boxes.slice(0, 1)),
  'pages move to a clone': (situation) => moved(situation, 'clone', []),
  'pages move to a promoted copy': (situation) => moved(situation, 'promoted', []),
  'pages and feeds move to a clone': (situation) => moved(situation, 'clone', situation.fleet.boxes),
  'pages and feeds move to a promoted copy': (situation) =>
    moved(situation, 'promoted', situation.fleet.boxes),
  'hold commits': async ({ fleet, random }) => {
    // They wait for a replica that does not come: in the log, and not visible.
    for (let times = 0; times < 10; times++) {
      await fleet.database.inTurn(async () => {
        await synchronousStandby(fleet, 'nobody');
        await pause(100 + random() * 300);
        await synchronousStandby(fleet, '');
      });
      await pause(200 + random() * 300);
    }
  },
  'change definitions': async ({ fleet }) => {
    const changes = [
      "alter table items add column note text not null default 'new'",
      'alter table items drop column note',
      'alter table items rename column version to revision',
      'alter table items rename column revision to version',
      'alter table groups rename to sections',
      'alter table sections rename to groups',
    ];
    await fleet.database.inTurn(async () => {
      for (const change of changes) {
        await patiently(fleet, change);
        await pause(400);
      }
    });
  },
  'replace table': async ({ fleet }) => {
    // Under the same name another table, as migrations leave it behind.
    await fleet.database.inTurn(async () => {
      await patiently(
        fleet,
        `begin; lock table items; create table items_next (like items including all);
       insert into items_next select * from items; alter table items rename to items_before;
       alter table items_next rename to items; commit`,
      );
      await pause(1000);
      await patiently(fleet, 'drop table items_before');
    });
  },
  'jump clocks': async ({ fleet, lastMs }) => {
    for (const offByMs of [HOUR_MS, -HOUR_MS, 0]) {
      for (const box of fleet.boxes) box.setClock(offByMs);
      await pause(lastMs / 2);
    }
  },
  'set clocks back': async ({ fleet, lastMs }) => {
    for (const box of fleet.boxes) box.setClock(-HOUR_MS);
    await pause(lastMs + 1000);
    for (const box of fleet.boxes) box.setClock(0);
  },
  'delay Postgres': (situation) => disturbed(situation, 'postgres', 'delay'),
  'cut Postgres': (situation) => disturbed(situation, 'postgres', 'cut'),
  'silence Postgres': (situation) => disturbed(situation, 'postgres', 'silence'),
  'forget connections to Postgres': async ({ fleet, lastMs }) => {
    // As a firewall does: those that stand stay open and pass nothing, new ones work. Pool and feed have to notice.
    for (const box of fleet.boxes) for (const line of linesOf(box, 'postgres')) line.silenceExisting();
    await pause(lastMs);
  },
  'old connections of the pool fall silent': async ({ fleet, lastMs }) => {
    for (const { postgres } of fleet.boxes) postgres.silenceExisting();
    await pause(lastMs);
  },
  'old connections of feeds fall silent': (situation) => silenceOldOfFeeds(situation, () => true),
  'old streams of feeds fall silent': (situation) => silenceOldOfFeeds(situation, streams),
  'old questions of feeds fall silent': (situation) => silenceOldOfFeeds(situation, (said) => !streams(said)),
  'restart pooler': async ({ fleet, random, lastMs }) => {
    for (let times = 0; times < 3; times++) {
      await fleet.pooler.restart(random() < 0.5 ? 'SIGKILL' : 'SIGTERM');
      await pause(lastMs / 3);
    }
  },
};

/** Some go to a copy of the server, and come back. What the copy says is what counts meanwhile: writers go along. */
function moved({ fleet, lastMs, still }: Situation, kind: CopyKind, feedsOf: readonly Host[]): Promise<void> {
  return fleet.database.inTurn(async () => {
    const copy = await still(() => fleet.moveToCopy(kind, feedsOf));
    await pause(lastMs);
    await still(() => fleet.moveBack(copy));
    await pause(500);
  });
}

/** A feed's stream, by the first that it says to the server. */
const streams = (said: string) => said.includes('\0replication\0database');

async function silenceOldOfFeeds(
  { fleet, lastMs }: Situation,
  which: (said: string) => boolean,
): Promise<void> {
  for (const { feedLine } of fleet.boxes) feedLine.silenceExisting(which);
  await pause(lastMs);
}

const subscribes = (said: string) => /subscribe/i.test(said);

/** As where a firewall lost its table: nobody closes them, and new ones work. */
async function silenceOld(fleet: Fleet, lastMs: number, which: (said: string) => boolean): Promise<void> {
  for (const { redis } of fleet.boxes) redis.silenceExisting(which);
  await pause(lastMs);
}

/** Stopped processes are found and killed, however long that takes: what is read meanwhile is judged as ever. */
async function gone(pids: readonly number[]): Promise<void> {
  for (let tries = 0; tries < 200 && pids.some((pid) => existsSync(`/proc/${pid}`)); tries++)
    await pause(100);
  const left = pids.filter((pid) => existsSync(`/proc/${pid}`));
  if (left.length > 0) throw new Error(`${left.join(', ')}: stopped for 20 s, and nobody has noticed`);
}

/** What Redis pushes to a subscriber, in the protocol's version 3 or 2. */
function isMessage(piece: Buffer): boolean {
  return /^[>*]3\r\n\$7\r\nmessage\r\n/.test(piece.toString('latin1', 0, 20));
}

/** On one host, or on both. */
async function disturbed(
  { fleet, random, lastMs }: Situation,
  to: 'redis' | 'postgres',
  how: 'delay' | 'cut' | 'silence',
): Promise<void> {
  const boxes = random() < 0.5 ? fleet.boxes : [hostOf(fleet, random)];
  const proxies = boxes.flatMap((box) => linesOf(box, to));
  for (const proxy of proxies) {
    if (how === 'delay') proxy.delay(20 + random() * 180);
    else if (how === 'cut') proxy.refuse();
    else proxy.silence();
  }
  await pause(lastMs);
  for (const proxy of proxies) {
    if (how === 'delay') proxy.delay(0);
    else if (how === 'cut') proxy.refuse(false);
    else {
      proxy.silence(false);
      // What was lost on the way does not come back; a real line would break by now, or have sent it again.
      proxy.cut();
    }
  }
}

function linesOf(box: Host, to: 'redis' | 'postgres'): TcpProxy[] {
  return to === 'redis' ? [box.redis] : [box.postgres, box.feedLine];
}

async function synchronousStandby(fleet: Fleet, name: string): Promise<void> {
  await fleet.admin.query(`alter system set synchronous_standby_names = '${name}'`);
  await fleet.admin.query('select pg_reload_conf()');
}

/** A change of definitions may lose against a statement that is under way. */
async function patiently(fleet: Fleet, sql: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await fleet.admin.query(sql);
      return;
    } catch (error) {
      await fleet.admin.query('rollback');
      if (tries > 20) throw error;
      await pause(50);
    }
  }
}

async function forgetDump(folder: string): Promise<void> {
  rmSync(join(folder, 'dump.rdb'), { force: true });
}

function kill(pid: number | undefined): void {
  if (pid !== undefined) signal(pid, 'SIGKILL');
}

function one(pids: readonly number[], random: Random): number | undefined {
  return pids[Math.floor(random() * pids.length)];
}

function hostOf(fleet: Fleet, random: Random): Host {
  const box = fleet.boxes[Math.floor(random() * fleet.boxes.length)];
  if (box === undefined) throw new RangeError('no host');
  return box;
}
