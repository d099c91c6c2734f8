import { resource, xml } from 'coherent-render-server';
import { sitemapTopic } from '../fragments/sitemap-topic.ts';
import { TOPIC_SLUGS } from '../topics.ts';

/** Joined of pieces, one for each topic. */
export default resource({
  type: 'xml',
  cache: { ttlMs: 3_600_000 },
  load: () => TOPIC_SLUGS,
  body: (topics) => xml`<?xml version="1.0" encoding="utf-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
${topics.map(sitemapTopic)}</urlset>
`,
});
