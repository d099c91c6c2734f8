import { afterAll, beforeAll, describe, it } from 'vitest';
import { Oracle } from './oracle.ts';

let oracle: Oracle;
beforeAll(async () => {
  oracle = await Oracle.open();
});
afterAll(() => oracle?.close());

const people = `
  create table users (id int primary key, name text);
  create table posts (id int primary key, user_id int references users, title text);
  create table notes (id int primary key, post_id int references posts);
  insert into users values (1, 'Ada');
  insert into posts values (10, 1, 'A');`;
const orphans = `${people}
  set session_replication_role = replica;
  insert into posts values (11, 2, 'B');
  insert into notes values (100, 11), (101, 12);
  set session_replication_role = origin;`;
const author = 'select p.id, p.user_id, u.name from posts p join users u on u.id = p.user_id';

describe('constraints are not believed', () => {
  it.each([
    ['an orphan of a list', author, "insert into users values (2, 'Bob')"],
    ['an orphan by its key', `${author} where p.id = 11`, "insert into users values (2, 'Bob')"],
    [
      'an orphan behind another',
      `select n.id, n.post_id, p.user_id, u.name from notes n join posts p on p.id = n.post_id
      join users u on u.id = p.user_id where n.id = 100`,
      "insert into users values (2, 'Bob')",
    ],
    [
      'an orphan whose parent gets its key',
      author,
      'update posts set user_id = null where id = 10; update users set id = 2',
    ],
    [
      'an orphan of an orphan',
      'select n.id, n.post_id, p.title from notes n join posts p on p.id = n.post_id',
      "insert into posts values (12, 1, 'C')",
    ],
  ])('%s appears when its parent comes', (_, sql, change) => oracle.follows({ setup: orphans, sql, change }));

  it.each(['not valid', 'not enforced'])('a foreign key that is %s', (how) =>
    oracle.follows({
      setup: `${people} alter table posts drop constraint posts_user_id_fkey; insert into posts values (11, 2, 'B');
        alter table posts add foreign key (user_id) references users ${how}`,
      sql: author,
      change: "insert into users values (2, 'Bob')",
    }),
  );

  it('follows the row that a row by its key is shown with', async () => {
    const sql = `${author} where p.id = 10`;
    await oracle.follows({ setup: people, sql, change: "update users set name = 'Eva'" });
    await oracle.spares({ setup: people, sql, change: "insert into users values (2, 'Bob')" });
  });

  it('a primary key that partitions may not have', () =>
    oracle.follows({
      setup: `create table days (id int not null, n int not null) partition by list (n);
        create table days_1 partition of days for values in (1); create table days_2 partition of days for values in (2);
        alter table only days add primary key (id, n); alter table days_1 replica identity full; alter table days_2 replica identity full;
        create table shown (id int primary key, day int, n int); insert into shown values (1, 7, 1); insert into days values (7, 1)`,
      sql: 'select s.id, s.day, s.n, d.id as there from shown s left join days d on d.id = s.day and d.n = s.n',
      change: 'insert into days values (7, 1)',
    }));
});
