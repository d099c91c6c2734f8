import { expect, test } from 'vitest';
import { safeLocation } from './redirect.ts';

test('a path stays on this site, as a header can carry it', () => {
  expect(safeLocation('/users/1?page=2#posts')).toBe('/users/1?page=2#posts');
  expect(safeLocation('/ü ber\r\nset-cookie: x')).toBe('/%C3%BC%20berset-cookie:%20x');
  expect(safeLocation('/a/../b')).toBe('/b');
});

test('an absolute address goes where it says', () => {
  expect(safeLocation('https://example.org/a b')).toBe('https://example.org/a%20b');
});

test.each([
  '//evil.example',
  '/\\evil.example',
  '/\t/evil.example',
  '\\\\evil.example',
  'evil.example',
  '',
  'javascript:alert(1)',
  'data:text/html,x',
  ' /x',
])('%j is refused', (location) => {
  expect(() => safeLocation(location)).toThrow('redirect()');
});
