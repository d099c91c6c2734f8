import { page } from 'coherent-render-server';
import { person } from '../components/person.tsx';
import { day } from '../components/time.tsx';
import { topicsList } from '../components/topics-list.tsx';
import { postCard } from '../fragments/post-card.ts';
import { totals } from '../fragments/totals.tsx';
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
  view: ({ ids, newcomers, comments }) => (
    <>
      <div className="hero post">
        <h1>Small things worth keeping, written down</h1>
        <p className="lead">
          A commonplace book that many people keep together: bread that worked, paths that did not, and what
          the neighbour said about ladders.
        </p>
        <div className="margin">{totals({})}</div>
      </div>
      <div className="columns">
        <section className="section" aria-labelledby="newest">
          <h2 id="newest">Newest posts</h2>
          <div className="ruled featured">
            {ids.map((id) => postCard({ id, comments: comments.get(id) ?? 0 }))}
          </div>
          <p className="more">
            <a href="/posts">All posts, newest first</a>
          </p>
        </section>
        <aside className="side" aria-label="Topics and people">
          <section className="section">
            <h2>Topics</h2>
            {topicsList()}
          </section>
          <section className="section">
            <h2>New here</h2>
            <ul className="people">
              {newcomers.map((user) => (
                <li>{person({ ...user, note: ['Joined ', day(user.joined_at)] })}</li>
              ))}
            </ul>
          </section>
        </aside>
      </div>
    </>
  ),
});
