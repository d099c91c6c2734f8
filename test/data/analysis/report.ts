import type { Change } from './changes.ts';
import { Random } from './random.ts';
import { randomSchema } from './schema.ts';
import type { Failure, Held, Tally, World } from './world.ts';

const share = (part: number, whole: number): string =>
  whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`;

function counts(title: string, map: ReadonlyMap<string, number>, limit = 80): string {
  const sorted = [...map].sort((a, b) => b[1] - a[1]).slice(0, limit);
  return `${title}: ${sorted.map(([name, count]) => `${name} ${count}`).join(', ')}\n`;
}

export function report(tally: Tally, seed: number, missed = 0): string {
  return [
    `\nstatement analysis, first seed ${seed}: ${tally.cases} cases, ${tally.changed} results changed, ${missed} missed\n`,
    `sharpness: ${tally.purgedAndChanged} of ${tally.purged} purged results had changed (${share(tally.purgedAndChanged, tally.purged)}); `,
    `${share(tally.purged, tally.cases - tally.untrackedCases)} of tracked cases were purged, ${share(tally.changed, tally.cases)} of all changed\n`,
    `rendered again without need: ${share(tally.purged - tally.purgedAndChanged, tally.cases - tally.untrackedCases - tally.purgedAndChanged)} of the tracked results that had not changed; ${share(tally.rowsNeedless, tally.rowsUnaffected)} by changes of rows; by definitions that change no result ${tally.idleNeedless} of ${tally.idleUnaffected}\n`,
    `keys per result: ${(tally.keys / tally.collections).toFixed(1)}; analysis ${((1000 * tally.analysisMs) / tally.analyses).toFixed(0)} us, collecting ${((1000 * tally.collectMs) / tally.collections).toFixed(1)} us a result\n`,
    `failed and caught: ${tally.caught}\n`,
    `noted by an outdated catalog snapshot: ${tally.outdated}\n`,
    `untracked: ${share(tally.untrackedCases, tally.cases)}\n`,
    `sharpness by shape: ${[...tally.purgedByShape].map(([shape, purged]) => `${shape} ${share(tally.changedByShape.get(shape) ?? 0, purged)}`).join(', ')}\n`,
    `constructs (cases, of them changed): ${[...tally.constructs]
      .sort((a, b) => b[1] - a[1])
      .map(([name, count]) => `${name} ${count} ${tally.changedByConstruct.get(name) ?? 0}`)
      .join(', ')}\n`,
    counts('changes', tally.changeKinds),
    counts('needless purges met by', tally.needless, 12),
    counts('why untracked', tally.untracked, 20),
  ].join('');
}

/** Tells the failing story again with less: earlier changes, steps and then conditions are left out one by one. */
export async function reproduced(world: World, failure: Failure): Promise<string> {
  let history = [...failure.history];
  let change = failure.change;
  let best = failure;
  const attempt = async (earlier: readonly Change[], last: Change): Promise<boolean> => {
    const again = await retell(world, failure, earlier, last);
    if (again === null) return false;
    best = again;
    return true;
  };
  let tries = 0;
  if (history.length > 0 && (await attempt([], change))) history = [];
  for (let i = history.length - 1; i >= 0 && tries < 40; i--, tries++) {
    const fewer = history.filter((_, at) => at !== i);
    if (await attempt(fewer, change)) history = fewer;
  }
  for (let i = change.steps.length - 1; i >= 0 && change.steps.length > 1; i--) {
    const fewer = { ...change, steps: change.steps.filter((_, at) => at !== i) };
    if (fewer.steps.some((step) => step.includes('savepoint'))) break;
    if (await attempt(history, fewer)) change = fewer;
  }
  const schema = randomSchema(new Random(failure.seed), failure.options);
  return [
    `a changed result was not purged (seed ${failure.seed})`,
    `statement: ${best.statement.sql}`,
    `params: ${JSON.stringify(best.statement.params, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))}`,
    `its keys: ${best.keys.join('  ')}`,
    `earlier: ${history.map((one) => one.steps.join('; ')).join(' | ') || '-'}`,
    `change: ${change.steps.join('; ')}`,
    `its keys: ${best.purged.join('  ')}`,
    `before: ${best.before}`,
    `after: ${best.after}`,
    `schema: ${schema.ddl.join(';\n  ')}`,
  ].join('\n');
}

async function retell(
  world: World,
  failure: Failure,
  earlier: readonly Change[],
  last: Change,
): Promise<Failure | null> {
  const random = new Random(failure.seed);
  await world.build(randomSchema(random, failure.options), random);
  for (const change of earlier) await world.apply(change);
  const held: Held | undefined = await world.hold(failure.statement);
  if (held === undefined || held.untracked.length > 0) return null;
  const before = held.result;
  const purged = await world.apply(last);
  const { text: after } = await world.run(failure.statement);
  if (after === before || [...held.keys].some((key) => purged.has(key))) return null;
  return { ...failure, change: last, before, after, keys: [...held.keys], purged: [...purged] };
}
