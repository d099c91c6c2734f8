// What is done to a server that is under load, and what must hold. Each drill gets a scene whose server serves, and a
// load that runs; it returns when what it broke is whole again, or the server is gone where that is the point.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { pause } from '../support/pause.ts';
import { signal } from '../support/processes.ts';
import type { Load, LoadReport } from './load.ts';
import { BOUND_MS, type Scene, WORKERS } from './scene.ts';

export interface Stage {
  readonly scene: Scene;
  readonly load: Load;
}

/** What the load saw, and what the drill found out itself: recovery in milliseconds, an exit code. */
export interface DrillResult extends LoadReport {
  readonly connections: number;
  readonly found: Readonly<Record<string, number | string | null>>;
}

export interface Drill {
  readonly name: string;
  /** For the table. */
  readonly what: string;
  readonly goal: string;
  /** Only in the long form: what it breaks is also broken by a test of the part in question. */
  readonly isLong?: true;
  readonly env?: Readonly<Record<string, string>> | ((scene: Scene) => Readonly<Record<string, string>>);
  /** Before the server starts. Undefined: it can be done here. A text: why it cannot. */
  readonly prepare?: (scene: Scene) => string | undefined;
  readonly run: (stage: Stage) => Promise<Readonly<Record<string, number | string | null>>>;
  /** What does not hold, in words. Wrong answers are looked for in every drill. */
  readonly judge: (result: DrillResult) => readonly string[];
  /** After the server. */
  readonly clear?: (scene: Scene) => void;
}

/** A time that begins now. */
function watch(): () => number {
  const began = performance.now();
  return () => Math.round(performance.now() - began);
}

const nothingLost = ({ lost }: LoadReport) => (lost === 0 ? [] : [`${lost} requests lost, 0 may be`]);
const nothingFailed = ({ failed }: LoadReport) => (failed === 0 ? [] : [`${failed} answered 5xx, 0 may be`]);
const nothingRefused = ({ refused }: LoadReport) =>
  refused === 0 ? [] : [`${refused} connections refused, 0 may be`];
const untouched = (result: LoadReport) => [
  ...nothingLost(result),
  ...nothingFailed(result),
  ...nothingRefused(result),
];
/** At most what one worker can have held. */
const onlyHeld = ({ lost, connections }: DrillResult) =>
  lost <= connections ? [] : [`${lost} requests lost, one worker held at most ${connections}`];
const exitedWith = (code: number) => (result: DrillResult) =>
  result.found.exit === code ? [] : [`exit code ${result.found.exit}, should be ${code}`];
const all =
  (...judges: readonly ((result: DrillResult) => readonly string[])[]) =>
  (result: DrillResult) =>
    judges.flatMap((judge) => judge(result));

async function killedWorker({ scene, load }: Stage, kill: (pid: number) => Promise<void>) {
  const [victim] = (await scene.readiness()).pids;
  if (victim === undefined) throw new Error('no worker');
  const since = watch();
  await kill(victim);
  await scene.whole([victim]);
  const backMs = since();
  await load.until(200);
  return { 'serves again after ms': backMs };
}

const clockFile = (scene: Scene) => join(scene.folder, 'clock');
const smallDisk = (scene: Scene) => join(scene.folder, 'data');
const pageFile = (scene: Scene) => join(scene.folder, 'site/pages/items/[id].js');

export const DRILLS: readonly Drill[] = [
  {
    name: 'kill -9 of a worker',
    what: 'SIGKILL to one of two workers',
    goal: 'loses only what that worker held; its slot serves again within 1 s',
    run: (stage) => killedWorker(stage, async (pid) => void signal(pid, 'SIGKILL')),
    judge: all(onlyHeld, nothingFailed, nothingRefused),
  },
  {
    name: 'kill -9 of a worker, with a spare',
    what: 'the same with SPARE_WORKER=on',
    goal: 'loses only what that worker held; its slot serves again within 1 s',
    isLong: true,
    env: { SPARE_WORKER: 'on' },
    run: (stage) => killedWorker(stage, async (pid) => void signal(pid, 'SIGKILL')),
    judge: all(onlyHeld, nothingFailed, nothingRefused),
  },
  {
    name: 'kill -9 of the primary',
    what: 'SIGKILL to the primary; started again once its workers have finished what they held',
    goal: 'loses nothing of what was accepted; nothing is left behind',
    run: async ({ scene, load }) => {
      const workers = scene.workerPids();
      scene.signal('SIGKILL');
      await scene.exited;
      const since = watch();
      await scene.until(() => workers.every((pid) => !signal(pid, 'SIGCONT')), 'the workers are gone');
      const goneMs = since();
      await scene.start();
      await load.until(200);
      return { 'workers gone after ms': goneMs, 'serves again after ms': since() };
    },
    judge: nothingLost,
  },
  {
    name: 'SIGTERM behind a balancer',
    what: 'SIGTERM; the load goes elsewhere as soon as /readyz says so, as a balancer does',
    goal: 'loses 0, refuses 0, exit code 0',
    env: { SHUTDOWN_DELAY_MS: '1000' },
    run: async ({ scene, load }) => {
      scene.signal('SIGTERM');
      const since = watch();
      await scene.until(async () => (await scene.readiness()).status === 503, 'not ready');
      const heardMs = since();
      await load.stop();
      const { code } = await scene.exited;
      return { 'not ready after ms': heardMs, 'gone after ms': since(), exit: code };
    },
    judge: all(untouched, exitedWith(0)),
  },
  {
    name: 'SIGTERM, and nobody turns away',
    isLong: true,
    what: 'SIGTERM while the load goes on',
    goal: 'finishes what its workers hold; a connection that is just being made may be reset; exit code 0',
    run: async ({ scene }) => {
      scene.signal('SIGTERM');
      const since = watch();
      const { code } = await scene.exited;
      return { 'gone after ms': since(), exit: code };
    },
    judge: all(onlyHeld, nothingFailed, exitedWith(0)),
  },
  {
    name: 'SIGTERM twice',
    what: 'SIGTERM, and again a second later, with a request that takes 60 s in flight',
    goal: 'gone at once, exit code 1, no process left',
    env: { RENDER_TIMEOUT_MS: '60000' },
    run: async ({ scene }) => {
      const held = scene.ask('/slow/60000').catch(() => undefined);
      await scene.until(() => scene.output.includes('a minute begins'), 'the request is in flight');
      const workers = scene.workerPids();
      scene.signal('SIGTERM');
      await pause(1000);
      const since = watch();
      scene.signal('SIGTERM');
      const { code } = await scene.exited;
      const goneMs = since();
      await scene.until(() => workers.every((pid) => !signal(pid, 'SIGCONT')), 'the workers are gone');
      await held;
      return { 'gone after ms': goneMs, exit: code };
    },
    judge: exitedWith(1),
  },
  {
    name: 'rolling reload',
    what: 'SIGHUP: every worker is replaced',
    goal: 'loses 0, fails 0, refuses 0',
    run: async ({ scene, load }) => {
      const before = scene.workerPids();
      const since = watch();
      scene.signal('SIGHUP');
      await scene.whole(before);
      const doneMs = since();
      await scene.until(() => before.every((pid) => !signal(pid, 'SIGCONT')), 'the old workers are gone');
      await load.until(200);
      return { 'reloaded after ms': doneMs };
    },
    judge: untouched,
  },
  {
    name: 'reload of a broken build',
    isLong: true,
    what: 'SIGHUP with a page that is no JavaScript; then mended, and SIGHUP again',
    goal: 'loses 0; the old workers stay until the new ones serve',
    run: async ({ scene, load }) => {
      const before = scene.workerPids();
      const file = pageFile(scene);
      const good = readFileSync(file);
      writeFileSync(file, 'export default page({');
      scene.signal('SIGHUP');
      await scene.until(() => scene.output.includes('reload ended'), 'the reload is given up');
      const kept = before.filter((pid) => scene.workerPids().includes(pid)).length;
      writeFileSync(file, good);
      scene.signal('SIGHUP');
      await scene.whole(before);
      await load.until(200);
      return { 'workers kept': kept };
    },
    judge: all(untouched, ({ found }) =>
      found['workers kept'] === WORKERS ? [] : [`${found['workers kept']} workers were kept`],
    ),
  },
  {
    name: 'an event loop that does not turn',
    isLong: true,
    what: 'a page that blocks its worker for a minute',
    goal: 'the worker is replaced; loses only what it held',
    env: { HEARTBEAT_TIMEOUT_MS: '3000' },
    run: async ({ scene, load }) => {
      const before = scene.workerPids();
      const since = watch();
      const held = scene.ask('/block').catch(() => undefined);
      await scene.until(() => scene.output.includes('worker is wedged'), 'noticed');
      const noticedMs = since();
      await scene.until(
        () => before.filter((pid) => scene.workerPids().includes(pid)).length === 1,
        'replaced',
      );
      await scene.whole();
      const backMs = since();
      await held;
      await load.until(200);
      return { 'noticed after ms': noticedMs, 'serves again after ms': backMs };
    },
    judge: all(onlyHeld, nothingRefused),
  },
  {
    name: 'crash loop',
    isLong: true,
    what: 'a worker is killed while the build is broken, so that none that follows can start; then the build is mended',
    goal: 'the other worker serves meanwhile; loses only what the killed one held',
    run: async ({ scene, load }) => {
      const [victim] = scene.workerPids();
      const file = pageFile(scene);
      const good = readFileSync(file);
      writeFileSync(file, 'export default page({');
      if (victim !== undefined) signal(victim, 'SIGKILL');
      const tries = () => scene.output.split('worker could not start').length - 1;
      await scene.until(() => tries() >= 2, 'two starts in vain');
      await load.until(200);
      writeFileSync(file, good);
      await scene.whole();
      return { 'starts in vain': tries() };
    },
    judge: all(onlyHeld, nothingRefused, nothingFailed),
  },
  {
    name: 'out of memory in a render',
    what: 'a page that eats the heap of its worker',
    goal: 'loses only what that worker held; its slot serves again',
    env: { HEAP_MAX_MB: '96' },
    run: async ({ scene, load }) => {
      // Either may be the one that gets the request.
      const before = scene.workerPids();
      const since = watch();
      await scene.ask('/heap').catch(() => undefined);
      await scene.until(() => before.some((pid) => !scene.workerPids().includes(pid)), 'one died');
      await scene.whole();
      const backMs = since();
      await load.until(200);
      return { 'serves again after ms': backMs };
    },
    judge: all(onlyHeld, nothingRefused),
  },
  {
    name: 'Redis killed',
    isLong: true,
    what: 'SIGKILL to Redis, which is back after 3 s',
    goal: 'loses 0, fails 0',
    run: async ({ scene, load }) => {
      await scene.restartRedis('killed', () => pause(BOUND_MS + 1000));
      await load.until(300);
      return {};
    },
    judge: untouched,
  },
  {
    name: 'Redis hung',
    what: 'connections to Redis stand, and nothing passes for 4 s',
    goal: 'loses 0, fails 0',
    run: async ({ scene, load }) => {
      scene.redis.silence();
      await pause(2 * BOUND_MS);
      scene.redis.silence(false);
      scene.redis.cut();
      await load.until(300);
      return {};
    },
    judge: untouched,
  },
  {
    name: 'Redis restarted empty',
    isLong: true,
    what: 'SIGKILL to Redis, which comes back without what it held',
    goal: 'loses 0, fails 0',
    run: async ({ scene, load }) => {
      await scene.restartRedis('emptied', () => pause(300));
      await load.until(300);
      return {};
    },
    judge: untouched,
  },
  {
    name: 'Postgres killed',
    what: 'SIGKILL to every process of Postgres, which is back after 2 s',
    goal: 'loses 0; pages that need it answer 5xx, and are right again afterwards',
    run: async ({ scene, load }) => {
      await scene.restartPostgres('killed', () => pause(BOUND_MS));
      const since = watch();
      await freshAgain(scene);
      await load.until(300);
      return { 'fresh again after ms': since() };
    },
    judge: all(nothingLost, nothingRefused),
  },
  {
    name: 'Postgres restarted',
    isLong: true,
    what: 'Postgres stopped in order and started again',
    goal: 'loses 0',
    run: async ({ scene, load }) => {
      await scene.restartPostgres('in order', () => pause(200));
      const since = watch();
      await freshAgain(scene);
      await load.until(300);
      return { 'fresh again after ms': since() };
    },
    judge: all(nothingLost, nothingRefused),
  },
  {
    name: 'sessions ended',
    isLong: true,
    what: 'pg_terminate_backend on every session of the server, five times',
    goal: 'loses 0',
    run: async ({ scene, load }) => {
      for (let times = 0; times < 5; times++) {
        await scene.sql(
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name <> 'drill' and backend_type in ('client backend', 'walsender')",
        );
        await pause(300);
      }
      await load.until(300);
      return {};
    },
    judge: all(nothingLost, nothingRefused),
  },
  {
    name: 'too many connections',
    what: 'others take every connection that Postgres has to give, after it has ended those of the server; for 3 s',
    goal: 'loses 0; pages that need it answer 5xx, and are right again afterwards',
    run: async ({ scene, load }) => {
      const taken = await takeConnections(scene);
      await pause(BOUND_MS + 1000);
      await Promise.all(taken.map((client) => client.end().catch(() => {})));
      const since = watch();
      await freshAgain(scene);
      await load.until(300);
      return { taken: taken.length, 'fresh again after ms': since() };
    },
    judge: all(nothingLost, nothingRefused),
  },
  {
    name: 'disk full',
    what: 'the file system of DATA_DIR (L3) has no byte left; then it has again',
    goal: 'loses 0, fails 0',
    prepare: (scene) => {
      const disk = smallDisk(scene);
      mkdirSync(disk, { recursive: true });
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=777', 'tmpfs', disk], { stdio: 'ignore' });
        return undefined;
      } catch {
        return 'only root may mount a small file system';
      }
    },
    run: async ({ scene, load }) => {
      const ballast = join(smallDisk(scene), 'ballast');
      fill(ballast);
      await load.until(1000);
      unlinkSync(ballast);
      await load.until(300);
      return {};
    },
    judge: untouched,
    clear: (scene) => execFileSync('umount', [smallDisk(scene)], { stdio: 'ignore' }),
  },
  {
    name: 'clock jump',
    what: 'the wall clock of every process of the server goes an hour forward, then two back',
    goal: 'loses 0, fails 0',
    env: (scene) => ({
      NODE_OPTIONS: `--import ${join(scene.folder, 'shifted-clock.mjs')}`,
      CLOCK_FILE: clockFile(scene),
    }),
    run: async ({ scene, load }) => {
      for (const offMs of [3_600_000, -3_600_000]) {
        writeFileSync(clockFile(scene), String(offMs));
        await pause(BOUND_MS);
        await load.until(300);
      }
      return {};
    },
    judge: untouched,
  },
];

/** A commit of now is shown: the feed follows the database again. */
async function freshAgain(scene: Scene): Promise<void> {
  await scene.until(async () => {
    try {
      await scene.sql('update items set version = version + 1 where id = 1999');
      const { rows } = await scene.sql('select version from items where id = 1999');
      const answer = await scene.ask('/items/1999');
      return (await answer.text()).includes(`item 1999 v${rows[0].version}<`);
    } catch {
      return false;
    }
  }, 'a commit is shown at once');
}

async function takeConnections(scene: Scene): Promise<pg.Client[]> {
  const taken: pg.Client[] = [];
  for (let refused = 0; refused < 20; ) {
    const client = new pg.Client({ connectionString: scene.databaseUrl, application_name: 'drill' });
    client.on('error', () => {});
    try {
      await client.connect();
      taken.push(client);
    } catch {
      refused++;
      const [one] = taken;
      await one
        ?.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name <> 'drill' and backend_type = 'client backend'",
        )
        .catch(() => {});
    }
  }
  return taken;
}

/** To the last byte. */
function fill(file: string): void {
  const handle = openSync(file, 'w');
  for (const bytes of [65_536, 4096, 1]) {
    try {
      for (;;) writeSync(handle, Buffer.alloc(bytes));
    } catch {
      // ENOSPC, for a piece of this size.
    }
  }
  closeSync(handle);
}
