import { describe, expect, it } from 'vitest';
import { asRows, columnOfRow, rowItself, rowOf, withRowsThemselves } from './row-keys.ts';

describe('keys of a row', () => {
  it('name the row itself beside it in a purge by hand, so that it reaches pages that know their columns', () => {
    expect(
      withRowsThemselves(['users#17', 'likes#17,4', 'users', 'weather:berlin', 'shop/items#a.b']),
    ).toEqual([
      'users#17',
      'likes#17,4',
      'users',
      'weather:berlin',
      'shop/items#a.b',
      'users#17{}',
      'likes#17,4{}',
      'shop/items#a.b{}',
    ]);
    const narrow = ['users#17{}', 'users#17{name}'];
    expect(withRowsThemselves(narrow)).toBe(narrow);
  });

  it('tell of which row they are', () => {
    expect(rowOf(rowItself('users#17'))).toBe('users#17');
    expect(rowOf(columnOfRow('users#a.b', 'name'))).toBe('users#a.b');
    expect([rowOf('users#17'), rowOf('order#17#{x}'), rowOf('{x}')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(asRows(['users', 'users#1{}', 'users#1{name}', 'users#2'])).toEqual([
      'users',
      'users#1',
      'users#2',
    ]);
  });
});
