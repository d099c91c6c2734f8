import { expect, test } from 'vitest';
import { HitTable } from './hit-table.ts';

test('what is asked for again survives a flood of targets that are not', () => {
  const table = new HitTable<{ bytes: number }>(1000);
  const wanted = { bytes: 10 };
  table.set('/wanted', wanted);
  for (let index = 0; index < 10_000; index++) {
    table.set(`/once/${index}`, { bytes: 10 });
    if (index % 20 === 0) expect(table.get('/wanted')).toBe(wanted);
  }
});

test('the table never holds more than its bound', () => {
  const table = new HitTable<{ bytes: number }>(1000);
  for (let index = 0; index < 10_000; index++) table.set(`/${index}`, { bytes: 10 });
  expect(table.size * 10).toBeLessThanOrEqual(1010);
});

test('growth of an item counts towards the bound', () => {
  const table = new HitTable<{ bytes: number }>(1000);
  table.set('/a', { bytes: 10 });
  table.grew(600);
  table.set('/b', { bytes: 10 });
  table.grew(600);
  expect(table.get('/a')).toBeUndefined();
});

test('a deleted target is gone from both generations', () => {
  const table = new HitTable<{ bytes: number }>(100);
  table.set('/old', { bytes: 60 });
  table.set('/young', { bytes: 10 });
  table.delete('/old');
  table.delete('/young');
  expect(table.get('/old')).toBeUndefined();
  expect(table.get('/young')).toBeUndefined();
  expect(table.size).toBe(0);
});
