import fc from 'fast-check';
import { expect, test } from 'vitest';
import { redirect } from '../definitions/outcome.ts';
import { RedirectError } from '../errors.ts';
import { safeLocation } from './redirect.ts';

test('a path stays on this site, as a header can carry it', () => {
  expect(safeLocation('/users/1?page=2#posts')).toBe('/users/1?page=2#posts');
  expect(safeLocation('/ü ber\r\nset-cookie: x')).toBe('/%C3%BC%20berset-cookie:%20x');
  expect(safeLocation('/a/../b')).toBe('/b');
  expect(safeLocation('/a//b')).toBe('/a//b');
  expect(safeLocation('/%2f%2fevil.example')).toBe('/%2f%2fevil.example');
  expect(safeLocation('/\ud800\0x')).toBe('/%EF%BF%BD%00x');
});

test('an absolute address goes where it says', () => {
  expect(safeLocation('https://example.org/a b')).toBe('https://example.org/a%20b');
  expect(safeLocation('HTTPS://bücher.example')).toBe('https://xn--bcher-kva.example/');
});

test.each([
  '//evil.example',
  '/\\evil.example',
  '/\t/evil.example',
  '/\n\\evil.example',
  '/.//evil.example',
  '/./\\evil.example',
  '/a/..//evil.example',
  '/%2e//evil.example',
  '/%2E%2e/\\evil.example',
  '/.\t//evil.example',
  '/\u0009\u000a\u000d/evil.example/x',
  '//user:pass@evil.example',
  '///evil.example',
  '\\\\evil.example',
  'evil.example',
  '',
  'javascript:alert(1)',
  'data:text/html,x',
  ' /x',
  ' https://evil.example',
  'https:evil.example',
  'https:/evil.example',
  'https:\\\\evil.example',
  'ht\ntps://evil.example',
  'https://this-site.example@evil.example/',
  'https://a:b@evil.example/',
  'https://',
])('%j is refused', (location) => {
  expect(() => safeLocation(location)).toThrow(RedirectError);
});

test.each([[undefined], [null], [7], [{ href: '/' }]])('%j, which is no text, is refused', (location) => {
  expect(() => safeLocation(location)).toThrow(RedirectError);
});

test('whatever begins with a slash and is let through stays here for every reader, however often it is read', () => {
  const piece = fc.constantFrom(
    '/',
    '\\',
    '.',
    '..',
    '%2e',
    '%2f',
    '%5c',
    '\t',
    '\n',
    '\r',
    '\0',
    ' ',
    '@',
    ':',
    '?',
    '#',
    'evil.example',
    'ü',
    '\ud800',
    '。',
    '／',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      let location = `/${pieces.join('')}`;
      try {
        location = safeLocation(location);
      } catch (error) {
        expect(error).toBeInstanceOf(RedirectError);
        return;
      }
      for (const base of ['http://here.example/', 'https://here.example/deep/er?x']) {
        const once = new URL(location, base);
        expect(once.origin).toBe(new URL(base).origin);
        const again = new URL(once.pathname + once.search + once.hash, base);
        expect(again.origin).toBe(new URL(base).origin);
      }
      expect(location).toMatch(/^\/(?![/\\])[\x21-\x7e]*$/);
    }),
    { numRuns: 2000 },
  );
});

test('an address that is permanent or has a status of its own says so', () => {
  expect(redirect('/x').status).toBeUndefined();
  expect(redirect('/x', { permanent: true }).status).toBe(308);
  expect(redirect('/x', { permanent: false }).status).toBeUndefined();
  expect(redirect('/x', 302).status).toBe(302);
});

test.each([[200], [304], [999], ['301'], [Number.NaN]])('%j is no status of a redirect', (status) => {
  expect(() => redirect('/x', status as 301)).toThrow(RedirectError);
});
