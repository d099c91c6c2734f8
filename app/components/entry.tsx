import type { Node } from 'coherent-render-server';
import { topicName } from '../topics.ts';
import { avatar, personLink } from './person.tsx';
import { count, foreign } from './text.tsx';
import { day } from './time.tsx';

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
  return (
    <article className="entry">
      <h3 dir="auto" lang={lang}>
        <a href={`/posts/${props.id}`}>{props.title}</a>
      </h3>
      <div className="margin">
        {topicLink(props.topic)}
        {day(props.createdAt)}
      </div>
      <p className="summary" dir="auto" lang={lang}>
        {props.summary}
      </p>
      {byline(props)}
    </article>
  );
}

function byline({ author, comments }: EntryProps): Node {
  if (author === undefined && comments === 0) return null;
  return (
    <p className="byline">
      {author && [avatar(author.id, author.name), personLink(author.id, author.name)]}
      {comments > 0 && <span className="number">{count(comments, 'comment')}</span>}
    </p>
  );
}

export function topicLink(slug: string): Node {
  return (
    <a className={`topic topic-${slug}`} href={`/posts?topic=${slug}`}>
      {topicName(slug)}
    </a>
  );
}
