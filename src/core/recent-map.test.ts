import { expect, test } from 'vitest';
import { RecentMap } from './recent-map.ts';

test('what is used stays, however much else is learned', () => {
  const recent = new RecentMap<number>(10);
  recent.set('used', 1);
  for (let n = 0; n < 1000; n++) {
    recent.set(`passing ${n}`, n);
    expect(recent.get('used')).toBe(1);
    expect(recent.size).toBeLessThanOrEqual(10);
  }
});

test('it goes on learning after it was full, and forgets what nobody asks for', () => {
  const recent = new RecentMap<number>(10);
  for (let n = 0; n < 1000; n++) recent.set(`passing ${n}`, n);
  expect(recent.get('passing 0')).toBeUndefined();
  expect(recent.get('passing 999')).toBe(999);
  recent.set('new', 1);
  expect(recent.get('new')).toBe(1);
});
