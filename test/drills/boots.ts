// Starts that meet trouble: settings that are wrong, and backing services that are not there. No load: nobody has been
// let in yet.
import { pause } from '../support/pause.ts';
import type { Scene } from './scene.ts';

export interface Boot {
  readonly name: string;
  readonly what: string;
  readonly goal: string;
  readonly run: (scene: Scene) => Promise<Readonly<Record<string, number | string | null>>>;
  /** What does not hold. */
  readonly judge: (found: Readonly<Record<string, number | string | null>>) => readonly string[];
}

function watch(): () => number {
  const began = performance.now();
  return () => Math.round(performance.now() - began);
}

const expected =
  (wanted: Readonly<Record<string, number | string>>) =>
  (found: Readonly<Record<string, number | string | null>>): readonly string[] =>
    Object.entries(wanted)
      .filter(([name, value]) => found[name] !== value)
      .map(([name, value]) => `${name}: ${found[name]}, should be ${value}`);

/** What a visitor gets, as soon as somebody answers. */
async function firstAnswer(scene: Scene): Promise<number> {
  let status = 0;
  await scene.until(async () => {
    status = await scene.ask('/items/7').then(
      (answer) => answer.status,
      () => 0,
    );
    return status !== 0;
  }, 'somebody answers');
  return status;
}

async function untilRight(scene: Scene): Promise<void> {
  await scene.until(async () => {
    const text = await scene.ask('/items/7').then(
      (answer) => answer.text(),
      () => '',
    );
    return text.includes('item 7 v0');
  }, 'the page is right');
}

export const BOOTS: readonly Boot[] = [
  {
    name: 'wrong settings',
    what: 'PORT=http and COHERENCE_BOUND_MS=-5',
    goal: 'exit code 1 before anything is started, both settings named',
    run: async (scene) => {
      const since = watch();
      scene.launch({ PORT: 'http', COHERENCE_BOUND_MS: '-5' });
      const { code } = await scene.exited;
      const afterMs = since();
      await scene.until(() => scene.output.includes('COHERENCE_BOUND_MS'), 'it says why');
      return {
        exit: code,
        named: Number(scene.output.includes('PORT')) + Number(scene.output.includes('COHERENCE_BOUND_MS')),
        'gone after ms': afterMs,
      };
    },
    judge: expected({ exit: 1, named: 2 }),
  },
  {
    name: 'Redis is down',
    what: 'nothing answers at REDIS_URL when the server starts; Redis comes 3 s later',
    goal: 'the server starts and serves right pages, before and after',
    run: async (scene) => {
      scene.redis.refuse();
      const since = watch();
      await scene.start();
      const servesMs = since();
      const first = await firstAnswer(scene);
      await untilRight(scene);
      await pause(3000);
      scene.redis.refuse(false);
      await untilRight(scene);
      return { 'first answer': first, 'serves after ms': servesMs };
    },
    judge: expected({ 'first answer': 200 }),
  },
  {
    name: 'Postgres is down',
    what: 'nothing answers at DATABASE_URL when the server starts; Postgres comes once it serves',
    goal: 'the server starts, not ready; pages answer 503 until Postgres is there, and are right then',
    run: async (scene) => {
      scene.postgres.refuse();
      await scene.start();
      const first = await firstAnswer(scene);
      const { status } = await scene.readiness();
      scene.postgres.refuse(false);
      const since = watch();
      await untilRight(scene);
      const rightMs = since();
      await scene.until(async () => (await scene.readiness()).status === 200, 'ready');
      // An outage that comes later is served through, from what is cached.
      scene.postgres.refuse();
      const later = (await scene.readiness()).status;
      return {
        'first answer': first,
        readyz: status,
        'readyz in a later outage': later,
        'right after ms': rightMs,
      };
    },
    judge: expected({ 'first answer': 503, readyz: 503, 'readyz in a later outage': 200 }),
  },
  {
    name: 'Redis and Postgres are silent',
    what: 'connections to both are taken, and nothing ever answers; both come once the server serves',
    goal: 'the server starts; pages answer 503 until Postgres is there, and are right then',
    run: async (scene) => {
      scene.postgres.silence();
      scene.redis.silence();
      const startedSince = watch();
      await scene.start();
      const servesMs = startedSince();
      const first = await firstAnswer(scene);
      for (const proxy of [scene.postgres, scene.redis]) {
        proxy.silence(false);
        proxy.cut();
      }
      const since = watch();
      await untilRight(scene);
      return { 'first answer': first, 'serves after ms': servesMs, 'right after ms': since() };
    },
    judge: expected({ 'first answer': 503 }),
  },
];
