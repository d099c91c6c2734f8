/** What people write about here. The order is the order in which the site shows them. */
export const TOPICS = [
  { slug: 'kitchen', name: 'Kitchen', blurb: 'Bread, pickles, and the pan that never sticks' },
  { slug: 'garden', name: 'Garden', blurb: 'Beds, balconies, and what the slugs left' },
  { slug: 'workshop', name: 'Workshop', blurb: 'Mending things that were not meant to be mended' },
  { slug: 'walks', name: 'Walks', blurb: 'Paths, weather, and where the bench is' },
  { slug: 'books', name: 'Books', blurb: 'Read, half read, and kept for the margins' },
  { slug: 'music', name: 'Music', blurb: 'Choirs, records, and learning late' },
  { slug: 'sky', name: 'Sky', blurb: 'Clouds by day, and the other things by night' },
  { slug: 'neighbours', name: 'Neighbours', blurb: 'Stairwells, swaps, and who has a ladder' },
] as const;

export type TopicSlug = (typeof TOPICS)[number]['slug'];

export const TOPIC_SLUGS: readonly TopicSlug[] = TOPICS.map((topic) => topic.slug);

/** The topic's name as people read it; a slug that nobody knows is shown as it is. */
export function topicName(slug: string): string {
  return TOPICS.find((topic) => topic.slug === slug)?.name ?? slug;
}
