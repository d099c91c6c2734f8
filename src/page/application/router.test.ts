import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Router, routeOf } from './router.ts';

const router = (...files: string[]) => new Router(files.map(routeOf));
const find = (files: string[], path: string) => {
  const match = router(...files).match(path.split('/').filter((part) => part !== ''));
  return match && { file: match.route.file, ...match.params };
};

describe('a file route', () => {
  test('is named by its place below pages/', () => {
    expect(routeOf('index').template).toBe('/');
    expect(routeOf('users/index').template).toBe('/users');
    expect(routeOf('users/[id]/posts/[post]')).toMatchObject({
      template: '/users/[id]/posts/[post]',
      names: ['id', 'post'],
    });
    expect(routeOf('docs/[...rest]')).toMatchObject({ template: '/docs/[...rest]', names: ['rest'] });
  });

  test.each([
    ['[...rest]/more', 'last part'],
    ['[id]/[id]', 'twice'],
    ['_admin/x', '_404, _error and _layout'],
    ['users/_layout', '_404, _error and _layout'],
    ['[id', 'no part of a route'],
    ['a[id]', 'no part of a route'],
    ['[__proto__]', 'no part of a route'],
    ['.hidden', 'no part of a route'],
    ['with space', 'no part of a route'],
  ])('%s is refused: %s', (file, why) => {
    expect(() => routeOf(file)).toThrow(why);
  });

  test('goes before a parameter when it is a plain name, and a parameter before a rest, at every level', () => {
    const files = ['users/me', 'users/[id]', 'users/[...rest]', '[a]/[b]/c', 'users/[id]/edit', '[...all]'];
    expect(find(files, '/users/me')).toEqual({ file: 'users/me' });
    expect(find(files, '/users/7')).toEqual({ file: 'users/[id]', id: '7' });
    expect(find(files, '/users/7/edit')).toEqual({ file: 'users/[id]/edit', id: '7' });
    expect(find(files, '/users/me/edit')).toEqual({ file: 'users/[id]/edit', id: 'me' });
    expect(find(files, '/users/7/x/y')).toEqual({ file: 'users/[...rest]', rest: '7/x/y' });
    expect(find(files, '/posts/7/c')).toEqual({ file: '[a]/[b]/c', a: 'posts', b: '7' });
    expect(find(files, '/posts/7/d')).toEqual({ file: '[...all]', all: 'posts/7/d' });
    expect(find(files, '/')).toBeUndefined();
  });

  test('is refused where another file has the same addresses', () => {
    expect(() => router('users', 'users/index')).toThrow(
      'pages/users and pages/users/index answer the same addresses',
    );
    expect(() => router('[a]', '[b]')).toThrow('same addresses');
    expect(() => router('[...a]', '[...b]')).toThrow('same addresses');
  });

  test('never throws and never takes long, whatever the path', () => {
    const deep = router('a/a/a/a', '[p]/a/a/a', 'a/[p]/a/a', 'a/a/[p]/a', '[p]/[q]/[r]/[s]', 'a/[...rest]');
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', '__proto__', 'constructor', '[p]', '')), (segments) => {
        deep.match(segments);
      }),
    );
  });
});
