import { expect, it } from 'vitest';
import { surrogateHeaders } from './surrogate-keys.ts';

it('a cache in front is told of rows, whatever columns of them a page read', () => {
  expect(surrogateHeaders(['users', 'users#17{}', 'users#17{name}', 'users#18'])).toEqual([
    ['surrogate-key', 'users users#17 users#18'],
    ['cache-groups', '"users", "users#17", "users#18"'],
  ]);
});
