import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnOfRow, rowItself, rowOf, withRowsThemselves } from '../../core/row-keys.ts';
import {
  columnKey,
  columnWithinKey,
  encodeName,
  functionKey,
  operandsKey,
  parseKey,
  relationName,
  rowKey,
  rowsKey,
  schemaKey,
  tableKey,
  unknownValueKey,
  valueKey,
} from './keys.ts';

const name = fc.oneof(
  fc.constantFrom('users', 'user_id', 'Größe', 'a.b', 'a/b', 'x@y', '#', '%', 'null'),
  fc.string({ minLength: 1 }),
);
const value = fc.oneof(
  fc.constantFrom('17', '', 'null', '?', 'a,b', '~', 'a@b.example', '%', '50% off'),
  fc.string({ maxLength: 20 }),
);
const wellFormed = (text: string): string => Buffer.from(text, 'utf8').toString('utf8');

describe('the keys of the database', () => {
  it('read like what they name', () => {
    const posts = relationName('public', 'posts');
    expect([
      tableKey(posts),
      rowsKey(posts),
      columnKey(posts, 'title'),
      rowKey(posts, ['17']),
      rowKey(posts, ['17', '4']),
      valueKey(posts, 'user_id', '17'),
      valueKey(posts, 'user_id', null),
      unknownValueKey(posts, 'user_id'),
      columnWithinKey(posts, 'title', 'user_id', '17'),
      functionKey('public', 'full_name'),
      operandsKey('||', ['_', '?']),
      operandsKey('=', ['?', '?']),
      operandsKey('=', ['_', '?']),
      tableKey(relationName('blog', 'posts')),
      schemaKey,
    ]).toEqual([
      'posts',
      'posts@rows',
      'posts.title',
      'posts#17',
      'posts#17,4',
      'posts.user_id=17',
      'posts.user_id=null',
      'posts.user_id=?',
      'posts.title@user_id=17',
      'full_name()',
      '%7C%7C(_,?)',
      '%3D(?,?)',
      '@schema',
      'blog/posts',
      '@schema',
    ]);
  });

  it('come apart into what they were made of, whatever the names and values hold', () => {
    fc.assert(
      fc.property(name, name, name, name, value, (schema, relation, column, pinned, text) => {
        const table = relationName(schema, relation);
        const exact = { text: wellFormed(text), cut: false };
        expect(parseKey(tableKey(table))).toEqual({ kind: 'table', table });
        expect(parseKey(rowsKey(table))).toEqual({ kind: 'rows', table });
        expect(parseKey(columnKey(table, column))).toEqual({
          kind: 'column',
          table,
          column: wellFormed(column),
        });
        expect(parseKey(valueKey(table, column, text))).toEqual({
          kind: 'value',
          table,
          column: wellFormed(column),
          value: exact,
        });
        expect(parseKey(columnWithinKey(table, column, pinned, text))).toEqual({
          kind: 'column-within',
          table,
          column: wellFormed(column),
          pinned: wellFormed(pinned),
          value: exact,
        });
        expect(parseKey(operandsKey(relation, ['?']))).toEqual({
          kind: 'operator',
          name: wellFormed(relation),
          operands: '?',
        });
        const row = rowKey(table, [text, text]);
        const values = [exact, exact];
        expect(parseKey(row)).toEqual({ kind: 'row', table, values });
        expect(parseKey(rowItself(row))).toEqual({ kind: 'row-itself', table, values });
        const ofRow = columnOfRow(row, encodeName(column));
        expect(parseKey(ofRow)).toEqual({ kind: 'column-of-row', table, values, column: wellFormed(column) });
        expect([rowOf(row), rowOf(ofRow), withRowsThemselves([row])]).toEqual([
          undefined,
          row,
          [row, rowItself(row)],
        ]);
      }),
    );
  });

  it('tell NULL, the text "null", the unknown and the text "?" apart', () => {
    const keys = [
      valueKey('t', 'c', null),
      valueKey('t', 'c', 'null'),
      valueKey('t', 'c', '?'),
      unknownValueKey('t', 'c'),
    ];
    expect(new Set(keys).size).toBe(4);
    expect(parseKey(valueKey('t', 'c', null))).toMatchObject({ value: { text: null } });
    expect(parseKey(unknownValueKey('t', 'c'))).toEqual({ kind: 'unknown-value', table: 't', column: 'c' });
  });

  it('stay short for long values, and different for different ones', () => {
    const long = 'x'.repeat(10_000);
    expect(valueKey('t', 'c', long).length).toBeLessThan(60);
    expect(valueKey('t', 'c', long)).toBe(valueKey('t', 'c', long));
    expect(valueKey('t', 'c', long)).not.toBe(valueKey('t', 'c', `${long}y`));
    expect(parseKey(valueKey('t', 'c', long))).toMatchObject({ value: { cut: true } });
  });

  it('leave the keys of an application alone', () => {
    expect(parseKey('weather:berlin')).toBeNull();
  });
});
