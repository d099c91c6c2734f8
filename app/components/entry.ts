import type { Node } from 'coherent-render-server';
import { topicName } from '../topics.ts';
import { avatar, personLink } from './person.ts';
import { count, foreign } from './text.ts';
import { day } from './time.ts';

export interface EntryProps {
  readonly id: number;
  readonly topic: string;
  readonly lang: string;
  readonly title: Node;
  readonly summary: Node;
  readonly createdAt: Date;
  /** Left out where the page is about the author already. */
  readonly author?: { readonly id: number; readonly name: string };
  readonly comments: number;
}

/** One post in a ruled list: when and what about in the margin, the words beside it. */
export function entry(props: EntryProps): Node {
  const lang = foreign(props.lang);
  return {
    article: {
      className: 'entry',
      children: [
        { h3: { dir: 'auto', lang, children: { a: { href: `/posts/${props.id}`, children: props.title } } } },
        { div: { className: 'margin', children: [topicLink(props.topic), day(props.createdAt)] } },
        { p: { className: 'summary', dir: 'auto', lang, children: props.summary } },
        byline(props),
      ],
    },
  };
}

function byline({ author, comments }: EntryProps): Node {
  if (author === undefined && comments === 0) return null;
  return {
    p: {
      className: 'byline',
      children: [
        author && [avatar(author.id, author.name), personLink(author.id, author.name)],
        comments > 0 && { span: { className: 'number', text: count(comments, 'comment') } },
      ],
    },
  };
}

export function topicLink(slug: string): Node {
  return { a: { className: `topic topic-${slug}`, href: `/posts?topic=${slug}`, text: topicName(slug) } };
}
