import { page } from 'coherent-render-server';
import { z } from 'zod';
import { olderLink } from '../../components/pages-nav.ts';
import { topicsList } from '../../components/topics-list.ts';
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
  view: ({ ids, comments, next, topic, first }) => [
    { h1: headline(topic) },
    {
      p: {
        className: 'lead',
        text: TOPICS.find(({ slug }) => slug === topic)?.blurb ?? 'Everything, newest first.',
      },
    },
    {
      div: {
        className: 'columns',
        children: [
          {
            nav: {
              className: 'side chooser',
              'aria-labelledby': 'topics',
              children: {
                div: {
                  className: 'section',
                  children: [
                    { h2: { id: 'topics', text: 'Topics' } },
                    topicsList(topic),
                    topic !== undefined && {
                      p: { className: 'more', children: { a: { href: '/posts', text: 'All topics' } } },
                    },
                  ],
                },
              },
            },
          },
          {
            section: {
              className: 'section',
              'aria-labelledby': 'list',
              children: [
                { h2: { id: 'list', text: first ? 'Newest first' : 'Older posts' } },
                ids.length === 0
                  ? { p: { className: 'note', text: 'Nothing here yet.' } }
                  : {
                      div: {
                        className: 'ruled',
                        children: ids.map((id) => postCard({ id, comments: comments.get(id) ?? 0 })),
                      },
                    },
                next !== null && olderLink(address(topic, next), 'Older posts'),
              ],
            },
          },
        ],
      },
    },
  ],
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
