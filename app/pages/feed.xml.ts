import { resource, xml } from 'coherent-render-server';
import type { PostRow } from '../rows.ts';
import { ORIGIN } from '../site.ts';

type Item = Pick<PostRow, 'id' | 'title' | 'summary' | 'created_at'>;

/** What was written last, for feed readers. */
export default resource({
  type: 'rss',
  cache: { ttlMs: 300_000 },
  load: ({ db }) =>
    db.query<Item>(
      'select id, title, summary, created_at from posts order by created_at desc, id desc limit 30',
    ),
  body: (posts) => xml`<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0">
<channel>
<title>Commonplace</title>
<link>${ORIGIN}/</link>
<description>What people wrote, newest first.</description>
${posts.map(item)}</channel>
</rss>
`,
});

function item({ id, title, summary, created_at }: Item) {
  return xml`<item>
<title>${title}</title>
<link>${ORIGIN}/posts/${id}</link>
<description>${summary}</description>
<pubDate>${created_at.toUTCString()}</pubDate>
</item>
`;
}
