// The short form of `npm run check:leaks`.
import { expect, test } from 'vitest';
import { checkLeaks } from './check.ts';

test('no byte of one visitor reaches another, is kept, or is logged', async () => {
  const seed = Number(process.env.LEAK_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const { leaks, ...counts } = await checkLeaks({
    histories: Number(process.env.LEAK_HISTORIES ?? 20_000),
    seed,
  });
  expect(leaks, `seed ${seed}`).toEqual([]);
  // Or it has looked at too little.
  for (const [what, count] of Object.entries(counts)) expect(count, what).toBeGreaterThan(100);
}, 900_000);
