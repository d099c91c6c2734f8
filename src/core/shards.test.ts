import { describe, expect, it } from 'vitest';
import { Shards } from './shards.ts';

describe('a table in many', () => {
  it.each<[string, (n: number) => string]>([
    ['at the end', (n) => `users#${n}`],
    ['in the middle', (n) => `p1"build"/users/[id]{"id":"${n}"}{}{"host":"www.example.com"}`],
    ['by little', (n) => `${n * 64}`],
    ['in letters', (n) => n.toString(2).replaceAll('0', 'a').replaceAll('1', 'b')],
  ])('spreads keys that differ %s', (_, keyOf) => {
    const shards = new Shards(() => new Set<string>());
    for (let n = 0; n < 64_000; n++) shards.of(keyOf(n)).add(keyOf(n));
    const sizes = [...shards].map(({ size }) => size);
    expect(sizes).toHaveLength(64);
    expect(Math.max(...sizes)).toBeLessThan(2_000);
    expect(sizes.reduce((all, size) => all + size)).toBe(64_000);
  });
});
