import { page } from 'coherent-render-server';
import { person } from '../components/person.ts';
import { day } from '../components/time.ts';
import { topicsList } from '../components/topics-list.ts';
import { postCard } from '../fragments/post-card.ts';
import { totals } from '../fragments/totals.ts';
import { commentCounts } from '../queries.ts';
import type { UserRow } from '../rows.ts';

export default page({
  cache: { ttlMs: 300_000, staleWhileRevalidateMs: 60_000, staleIfErrorMs: 86_400_000 },
  load: async ({ db }) => {
    const [newest, newcomers] = await Promise.all([
      db.query<{ id: number }>('select id from posts order by created_at desc, id desc limit 12'),
      db.query<Pick<UserRow, 'id' | 'name' | 'joined_at'>>(
        'select id, name, joined_at from users order by joined_at desc, id desc limit 5',
      ),
    ]);
    const ids = newest.map((post) => post.id);
    return { ids, newcomers, comments: await commentCounts(db, ids) };
  },
  head: () => ({
    title: 'Commonplace',
    description: 'Small things worth keeping, written down by the people who found them.',
    canonical: '/',
    links: [{ rel: 'alternate', type: 'application/rss+xml', title: 'Commonplace', href: '/feed.xml' }],
    openGraph: { type: 'website', site_name: 'Commonplace' },
  }),
  view: ({ ids, newcomers, comments }) => [
    {
      div: {
        className: 'hero post',
        children: [
          { h1: 'Small things worth keeping, written down' },
          {
            p: {
              className: 'lead',
              text: 'A commonplace book that many people keep together: bread that worked, paths that did not, and what the neighbour said about ladders.',
            },
          },
          { div: { className: 'margin', children: totals({}) } },
        ],
      },
    },
    {
      div: {
        className: 'columns',
        children: [
          {
            section: {
              className: 'section',
              'aria-labelledby': 'newest',
              children: [
                { h2: { id: 'newest', text: 'Newest posts' } },
                {
                  div: {
                    className: 'ruled featured',
                    children: ids.map((id) => postCard({ id, comments: comments.get(id) ?? 0 })),
                  },
                },
                {
                  p: {
                    className: 'more',
                    children: { a: { href: '/posts', text: 'All posts, newest first' } },
                  },
                },
              ],
            },
          },
          {
            aside: {
              className: 'side',
              'aria-label': 'Topics and people',
              children: [
                { section: { className: 'section', children: [{ h2: 'Topics' }, topicsList()] } },
                {
                  section: {
                    className: 'section',
                    children: [
                      { h2: 'New here' },
                      {
                        ul: {
                          className: 'people',
                          children: newcomers.map((user) => ({
                            li: { children: person({ ...user, note: ['Joined ', day(user.joined_at)] }) },
                          })),
                        },
                      },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
});
