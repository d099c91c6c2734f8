import { notFound, page } from 'coherent-render-server';
import { entry, topicLink } from '../../components/entry.ts';
import { olderLink } from '../../components/pages-nav.ts';
import { avatar } from '../../components/person.ts';
import { count, grouped } from '../../components/text.ts';
import { day } from '../../components/time.ts';
import { after, id } from '../../inputs.ts';
import { commentCounts } from '../../queries.ts';
import type { PostRow, UserRow } from '../../rows.ts';

type Listed = Omit<PostRow, 'user_id' | 'body'>;

export default page({
  params: { id },
  query: { after },
  cache: { ttlMs: 300_000, staleWhileRevalidateMs: 60_000, staleIfErrorMs: 86_400_000 },
  load: async ({ params, query, db }) => {
    const user = await db.byId<UserRow>('users', params.id);
    if (user === null) return notFound();
    const [list, topics, answers] = await Promise.all([
      db.paginate<Listed>({
        table: 'posts',
        columns: ['id', 'topic', 'lang', 'title', 'summary', 'created_at'],
        where: { user_id: user.id },
        orderBy: [
          { column: 'created_at', direction: 'desc' },
          { column: 'id', direction: 'desc' },
        ],
        pageSize: 10,
        after: query.after,
      }),
      db.query<{ topic: string; posts: number }>(
        'select topic, count(*) as posts from posts where user_id = $1 group by topic order by posts desc, topic',
        [user.id],
      ),
      db.one<{ total: number }>('select count(*) as total from comments where user_id = $1', [user.id]),
    ]);
    const ids = list.rows.map((post) => post.id);
    return {
      user,
      list,
      topics,
      answers: answers?.total ?? 0,
      comments: await commentCounts(db, ids),
      first: query.after === null,
    };
  },
  head: ({ user, first }) => ({
    title: `${user.name} · Commonplace`,
    description: user.bio || `${user.name} writes on Commonplace.`,
    canonical: `/users/${user.id}`,
    openGraph: { type: 'profile', title: user.name, 'profile:username': user.handle },
    ...(!first && { robots: 'noindex, follow' }),
  }),
  view: ({ user, list, topics, answers, comments, first }) => [
    {
      div: {
        className: 'profile',
        children: [
          avatar(user.id, user.name, 'large'),
          {
            div: {
              children: [
                { h1: { dir: 'auto', text: user.name } },
                {
                  p: {
                    className: 'note',
                    children: [`@${user.handle}`, user.place !== '' && [' · ', { bdi: user.place }]],
                  },
                },
                user.bio !== '' && { p: { className: 'lead', dir: 'auto', text: user.bio } },
                {
                  dl: {
                    className: 'facts',
                    children: [
                      fact('posts', grouped(topics.reduce((sum, { posts }) => sum + posts, 0))),
                      fact('comments', grouped(answers)),
                      fact('joined', day(user.joined_at)),
                    ],
                  },
                },
              ],
            },
          },
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
              'aria-labelledby': 'posts',
              children: [
                { h2: { id: 'posts', text: first ? 'Posts' : 'Older posts' } },
                list.rows.length === 0
                  ? { p: { className: 'note', text: 'Nothing written yet.' } }
                  : {
                      div: {
                        className: 'ruled',
                        children: list.rows.map((post) =>
                          entry({
                            ...post,
                            createdAt: post.created_at,
                            comments: comments.get(post.id) ?? 0,
                          }),
                        ),
                      },
                    },
                list.next !== null &&
                  olderLink(`/users/${user.id}?${new URLSearchParams({ after: list.next })}`, 'Older posts'),
              ],
            },
          },
          topics.length > 0 && {
            aside: {
              className: 'side',
              'aria-labelledby': 'about',
              children: {
                div: {
                  className: 'section',
                  children: [
                    { h2: { id: 'about', text: 'Writes about' } },
                    {
                      ul: {
                        className: 'tally',
                        children: topics.map(({ topic, posts }) => ({
                          li: {
                            children: [
                              topicLink(topic),
                              { span: { className: 'note number', text: count(posts, 'post') } },
                            ],
                          },
                        })),
                      },
                    },
                  ],
                },
              },
            },
          },
        ],
      },
    },
  ],
});

function fact(of: string, amount: string | ReturnType<typeof day>) {
  return { div: { children: [{ dt: of }, { dd: { children: amount } }] } };
}
