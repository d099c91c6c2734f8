import { fragment, xml } from 'coherent-render-server';
import type { PostRow } from '../rows.ts';
import { ORIGIN } from '../site.ts';
import type { TopicSlug } from '../topics.ts';

/** The addresses of a topic's posts: a piece of the sitemap, made again when something is written there, and only then. */
export const sitemapTopic = fragment('sitemap-topic', {
  key: (topic: TopicSlug) => topic,
  load: ({ key, db }) =>
    db.query<Pick<PostRow, 'id' | 'created_at'>>(
      'select id, created_at from posts where topic = $1 order by id',
      [key],
    ),
  view: (posts) =>
    posts.map(
      ({ id, created_at }) =>
        xml`<url><loc>${ORIGIN}/posts/${id}</loc><lastmod>${created_at}</lastmod></url>\n`,
    ),
  cache: { ttlMs: 3_600_000 },
});
