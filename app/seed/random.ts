/**
 * The sample's own source of randomness: the same numbers on every machine, so that the same seed makes the
 * same rows. The generator is sfc32 (Chris Doty-Humphrey, PractRand): small, fast, passes the usual tests.
 */
export interface Random {
  /** A number from 0 (included) to 1 (excluded). */
  unit(): number;
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number;
  /** One of the items, each as likely as the other. */
  pick<T>(items: readonly T[]): T;
  chance(probability: number): boolean;
  /** `count` different items, in the order they were drawn. */
  some<T>(items: readonly T[], count: number): T[];
}

export function random(seed: number): Random {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = seed | 0;
  let counter = 1;

  function next(): number {
    const out = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + out;
    c |= 0;
    return (out >>> 0) / 4_294_967_296;
  }

  // The first outputs still resemble the seed.
  for (let i = 0; i < 12; i++) next();

  const source: Random = {
    unit: next,
    between: (min, max) => min + Math.floor(next() * (max - min + 1)),
    pick: (items) => {
      const item = items[Math.floor(next() * items.length)];
      if (item === undefined) throw new RangeError('pick() needs at least one item');
      return item;
    },
    chance: (probability) => next() < probability,
    some: (items, count) => {
      const left = [...items];
      const drawn = [];
      while (drawn.length < count && left.length > 0) {
        drawn.push(...left.splice(Math.floor(next() * left.length), 1));
      }
      return drawn;
    },
  };
  return source;
}
