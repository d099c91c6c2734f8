import { type Node, notFound, page } from 'coherent-render-server';
import { z } from 'zod';
import { pagesNav } from '../../components/pages-nav.tsx';
import { avatar, personLink } from '../../components/person.tsx';
import { count, grouped, spoken } from '../../components/text.tsx';
import { day } from '../../components/time.tsx';
import { postCounts } from '../../queries.ts';
import type { UserRow } from '../../rows.ts';

type Listed = Pick<UserRow, 'id' | 'name' | 'place' | 'joined_at'>;

const SORTS = ['joined', '-joined', 'name', '-name'] as const;
type Sort = (typeof SORTS)[number];

export default page({
  query: {
    page: z.coerce.number().int().min(1).max(500).default(1),
    sort: z.enum(SORTS).default('joined'),
  },
  cache: { ttlMs: 300_000, staleWhileRevalidateMs: 60_000, staleIfErrorMs: 86_400_000 },
  load: async ({ query, db }) => {
    const direction = query.sort.startsWith('-') ? 'desc' : 'asc';
    const list = await db.paginate<Listed>({
      table: 'users',
      columns: ['id', 'name', 'place', 'joined_at'],
      // The id settles the order of people of one name, or a page could show somebody twice.
      orderBy: [
        { column: query.sort.endsWith('name') ? 'name' : 'joined_at', direction },
        { column: 'id', direction },
      ],
      pageSize: 40,
      page: query.page,
    });
    if (list.rows.length === 0 && query.page > 1) return notFound();
    const ids = list.rows.map((user) => user.id);
    return { list, sort: query.sort, posts: await postCounts(db, ids) };
  },
  head: ({ list, sort }) => ({
    title: list.page === 1 ? 'People · Commonplace' : `People, page ${list.page} · Commonplace`,
    description: `Everybody who writes here: ${count(list.total, 'person', 'people')}.`,
    canonical: address(list.page, sort),
  }),
  view: ({ list, sort, posts }) => (
    <>
      <h1>People</h1>
      <p className="lead">{`Everybody who writes here: ${count(list.total, 'person', 'people')} on ${count(list.pages, 'page')}.`}</p>
      <table className="section">
        <caption className="hidden">{`People, page ${list.page} of ${list.pages}`}</caption>
        <thead>
          <tr>
            {sortable('Name', 'name', sort)}
            <th scope="col" className="optional">
              Place
            </th>
            {sortable('Joined', 'joined', sort)}
            <th scope="col" className="amount">
              Posts
            </th>
          </tr>
        </thead>
        <tbody>{list.rows.map((user) => row(user, posts.get(user.id) ?? 0))}</tbody>
      </table>
      {pagesNav({ page: list.page, pages: list.pages, href: (page) => address(page, sort) })}
    </>
  ),
});

function address(page: number, sort: Sort): string {
  const query = new URLSearchParams();
  if (sort !== 'joined') query.set('sort', sort);
  if (page !== 1) query.set('page', String(page));
  return query.size === 0 ? '/users' : `/users?${query}`;
}

/** A heading that sorts: by this column first, and the other way round once it does. */
function sortable(title: string, by: 'name' | 'joined', current: Sort): Node {
  const state = current === by ? 'ascending' : current === `-${by}` ? 'descending' : undefined;
  const next = state === 'ascending' ? (`-${by}` as const) : by;
  return (
    <th scope="col" aria-sort={state}>
      <a href={address(1, next)}>
        {spoken('Sort by ')}
        {title}
      </a>
      {state && <span aria-hidden="true">{state === 'ascending' ? ' ↑' : ' ↓'}</span>}
    </th>
  );
}

function row(user: Listed, posts: number): Node {
  return (
    <tr>
      <th scope="row">
        <div className="person">
          {avatar(user.id, user.name)}
          {personLink(user.id, user.name)}
        </div>
      </th>
      <td className="optional" dir="auto">
        {user.place}
      </td>
      <td>{day(user.joined_at)}</td>
      <td className="amount">{grouped(posts)}</td>
    </tr>
  );
}
