import { notFound, page } from 'coherent-render-server';
import { entry, topicLink } from '../../components/entry.tsx';
import { olderLink } from '../../components/pages-nav.tsx';
import { avatar } from '../../components/person.tsx';
import { count, grouped } from '../../components/text.tsx';
import { day } from '../../components/time.tsx';
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
  view: ({ user, list, topics, answers, comments, first }) => (
    <>
      <div className="profile">
        {avatar(user.id, user.name, 'large')}
        <div>
          <h1 dir="auto">{user.name}</h1>
          <p className="note">
            {`@${user.handle}`}
            {user.place !== '' && [' · ', <bdi>{user.place}</bdi>]}
          </p>
          {user.bio !== '' && (
            <p className="lead" dir="auto">
              {user.bio}
            </p>
          )}
          <dl className="facts">
            {fact('posts', grouped(topics.reduce((sum, { posts }) => sum + posts, 0)))}
            {fact('comments', grouped(answers))}
            {fact('joined', day(user.joined_at))}
          </dl>
        </div>
      </div>
      <div className="columns">
        <section className="section" aria-labelledby="posts">
          <h2 id="posts">{first ? 'Posts' : 'Older posts'}</h2>
          {list.rows.length === 0 ? (
            <p className="note">Nothing written yet.</p>
          ) : (
            <div className="ruled">
              {list.rows.map((post) =>
                entry({
                  ...post,
                  createdAt: post.created_at,
                  comments: comments.get(post.id) ?? 0,
                }),
              )}
            </div>
          )}
          {list.next !== null &&
            olderLink(`/users/${user.id}?${new URLSearchParams({ after: list.next })}`, 'Older posts')}
        </section>
        {topics.length > 0 && (
          <aside className="side" aria-labelledby="about">
            <div className="section">
              <h2 id="about">Writes about</h2>
              <ul className="tally">
                {topics.map(({ topic, posts }) => (
                  <li>
                    {topicLink(topic)}
                    <span className="note number">{count(posts, 'post')}</span>
                  </li>
                ))}
              </ul>
            </div>
          </aside>
        )}
      </div>
    </>
  ),
});

function fact(of: string, amount: string | ReturnType<typeof day>) {
  return (
    <div>
      <dt>{of}</dt>
      <dd>{amount}</dd>
    </div>
  );
}
