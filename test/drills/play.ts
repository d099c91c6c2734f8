// One drill from its first process to its last, and how its result reads.
import type { Boot } from './boots.ts';
import type { PlayedBoot } from './document.ts';
import type { Drill, DrillResult } from './drills.ts';
import { History } from './history.ts';
import { Load } from './load.ts';
import { BOUND_MS, Scene } from './scene.ts';

export interface Played {
  readonly drill: Drill;
  /** Undefined: it cannot be done on this machine, for this reason. */
  readonly result: DrillResult | undefined;
  readonly skipped: string | undefined;
  readonly violations: readonly string[];
}

export interface PlayOptions {
  /** With the built server in `package/`. */
  readonly build: string;
  readonly connections: number;
  /** Answered before anything happens. */
  readonly warmUp: number;
}

export async function play(drill: Drill, { build, connections, warmUp }: PlayOptions): Promise<Played> {
  const scene = await Scene.prepare(build);
  const skipped = drill.prepare?.(scene);
  if (skipped !== undefined) {
    await scene.close();
    return { drill, result: undefined, skipped, violations: [] };
  }
  let history: History | undefined;
  let load: Load | undefined;
  try {
    await scene.start(typeof drill.env === 'function' ? drill.env(scene) : drill.env);
    history = new History(scene.databaseUrl, BOUND_MS);
    load = new Load({ port: scene.port, connections, history });
    await load.until(warmUp);
    const found = await drill.run({ scene, load });
    const result: DrillResult = { ...(await load.stop()), connections, found };
    const violations = [
      ...(result.wrong === 0 ? [] : [`${result.wrong} wrong answers`]),
      ...drill.judge(result),
    ];
    const told = violations.length === 0 ? [] : [...load.examples, scene.output.slice(-3000)];
    return { drill, result, skipped: undefined, violations: [...violations, ...told] };
  } finally {
    await load?.stop();
    await history?.close();
    await scene.stop();
    drill.clear?.(scene);
    await scene.close();
  }
}

/** One start that meets trouble. */
export async function start(boot: Boot, build: string): Promise<PlayedBoot> {
  const scene = await Scene.prepare(build);
  try {
    const found = await boot.run(scene);
    return { boot, found, violations: boot.judge(found) };
  } finally {
    await scene.close();
  }
}
