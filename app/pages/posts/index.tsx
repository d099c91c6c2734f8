import { page } from 'coherent-render-server';
import { z } from 'zod';
import { olderLink } from '../../components/pages-nav.tsx';
import { topicsList } from '../../components/topics-list.tsx';
import { postCard } from '../../fragments/post-card.ts';
import { after } from '../../inputs.ts';
import { commentCounts } from '../../queries.ts';
import { TOPIC_SLUGS, TOPICS, type TopicSlug } from '../../topics.ts';

/** A long list that people read downwards: it goes on by cursor, which costs the same at its end as at its start. */
export default page({
  query: { topic: z.enum(TOPIC_SLUGS).optional(), after },
  cache: { ttlMs: 300_000, staleWhileRevalidateMs: 60_000 },
  load: async ({ query: { topic, after }, db }) => {
    const list = await db.paginate<{ id: number }>({
      table: 'posts',
      columns: ['id'],
      ...(topic && { where: { topic } }),
      orderBy: [
        { column: 'created_at', direction: 'desc' },
        { column: 'id', direction: 'desc' },
      ],
      pageSize: 20,
      after,
    });
    const ids = list.rows.map((post) => post.id);
    return { ids, comments: await commentCounts(db, ids), next: list.next, topic, first: after === null };
  },
  head: ({ topic, first }) => ({
    title: `${headline(topic)} · Commonplace`,
    description: TOPICS.find(({ slug }) => slug === topic)?.blurb ?? 'Everything people wrote, newest first.',
    canonical: address(topic),
    ...(!first && { robots: 'noindex, follow' }),
  }),
  view: ({ ids, comments, next, topic, first }) => (
    <>
      <h1>{headline(topic)}</h1>
      <p className="lead">
        {TOPICS.find(({ slug }) => slug === topic)?.blurb ?? 'Everything, newest first.'}
      </p>
      <div className="columns">
        <nav className="side chooser" aria-labelledby="topics">
          <div className="section">
            <h2 id="topics">Topics</h2>
            {topicsList(topic)}
            {topic !== undefined && (
              <p className="more">
                <a href="/posts">All topics</a>
              </p>
            )}
          </div>
        </nav>
        <section className="section" aria-labelledby="list">
          <h2 id="list">{first ? 'Newest first' : 'Older posts'}</h2>
          {ids.length === 0 ? (
            <p className="note">Nothing here yet.</p>
          ) : (
            <div className="ruled">{ids.map((id) => postCard({ id, comments: comments.get(id) ?? 0 }))}</div>
          )}
          {next !== null && olderLink(address(topic, next), 'Older posts')}
        </section>
      </div>
    </>
  ),
});

function headline(topic: TopicSlug | undefined): string {
  return TOPICS.find(({ slug }) => slug === topic)?.name ?? 'Posts';
}

function address(topic: TopicSlug | undefined, next?: string): string {
  const query = new URLSearchParams();
  if (topic !== undefined) query.set('topic', topic);
  if (next !== undefined) query.set('after', next);
  return query.size === 0 ? '/posts' : `/posts?${query}`;
}
