import { FAULTS, OF_A_FLEET, OF_A_POOLER } from './faults.ts';
import type { Random } from './random.ts';

export interface FleetKind {
  /** One host, without Redis. */
  readonly alone: boolean;
  readonly pooler: boolean;
}

/** Every fault once in a random order, and as many pairs of two that happen at once. */
export function oneRound(random: Random, kind: FleetKind): string[] {
  const names = namesOf(kind).filter((name) => name !== 'calm');
  const pairs = shuffled(names, random).map(
    (name, index, all) => `${name} + ${all[(index + 7) % all.length]}`,
  );
  return ['calm', ...shuffled([...names, ...pairs.slice(0, Math.ceil(names.length / 2))], random)];
}

/** Of the faults that can come over such a fleet. */
export function namesOf({ alone, pooler }: FleetKind): string[] {
  return Object.keys(FAULTS).filter(
    (name) => !(alone && OF_A_FLEET.test(name)) && (pooler || !OF_A_POOLER.test(name)),
  );
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  return list
    .map((each) => ({ each, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ each }) => each);
}
