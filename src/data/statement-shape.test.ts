import { expect, it } from 'vitest';
import { shapeOf } from './statement-shape.ts';

it.each([
  [
    "select * from users where email = 'a@b.c' and age > 17",
    'select * from users where email = ? and age > ?',
  ],
  [
    'select "na""me", "t1" from users2 where id = $1 limit 20',
    'select "na""me", "t1" from users2 where id = $1 limit ?',
  ],
  ["select 'it''s', E'a\\'b', U&'x', X'1F', b'01', n'q'", 'select ?, ?, ?, ?, ?, ?'],
  ["select $$a 'secret' b$$, $tag$ $$ 'x' $tag$ from t", 'select ?, ? from t'],
  ["select 1 -- 'secret'\n from /* 'secret' */ t", 'select ? from t'],
  ['select 1.5e3, .5, 0xFF, 1_000, col1, t1.c2', 'select ?, ?, ?, ?, col1, t1.c2'],
  ["select 'never closed", 'select ?'],
  ['select E', 'select E'],
  ["select * from t where a='x'and b=$12", 'select * from t where a=?and b=$12'],
])('%s', (sql, shape) => {
  expect(shapeOf(sql)).toBe(shape);
});

it('takes no longer than its text, whatever is in it', () => {
  for (const piece of ["'", '$$', '"', '/*', '--', '$a$', "''", '1_', '.']) shapeOf(piece.repeat(50_000));
});
