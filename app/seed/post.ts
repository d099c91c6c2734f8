import type { TopicSlug } from '../topics.ts';

export interface Post {
  readonly userId: number;
  readonly topic: TopicSlug;
  /** BCP 47; the page marks text that is not in the site's language. */
  readonly lang: string;
  readonly title: string;
  readonly summary: string;
  /** Paragraphs, with an empty line between them. */
  readonly body: string;
  readonly createdMs: number;
}
