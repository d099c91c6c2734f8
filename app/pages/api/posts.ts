import { list, resource } from 'coherent-render-server';
import { z } from 'zod';
import { after } from '../../inputs.ts';
import type { PostRow } from '../../rows.ts';
import { TOPIC_SLUGS } from '../../topics.ts';

/** Posts as JSON, for other sites and programs: `?topic=sky&topic=books&after=...`. Cached and purged as the pages are. */
export default resource({
  from: 'anywhere',
  query: { topic: list(z.enum(TOPIC_SLUGS)), after },
  cache: { ttlMs: 300_000 },
  load: ({ query: { topic, after }, db }) =>
    db.paginate<Pick<PostRow, 'id' | 'topic' | 'title' | 'summary' | 'created_at'>>({
      table: 'posts',
      columns: ['id', 'topic', 'title', 'summary', 'created_at'],
      ...(topic.length > 0 && { where: { topic: { in: topic } } }),
      orderBy: [
        { column: 'created_at', direction: 'desc' },
        { column: 'id', direction: 'desc' },
      ],
      pageSize: 50,
      after,
    }),
  body: ({ rows, next }) => ({ posts: rows, next }),
});
