import type { Node } from 'coherent-render-server';
import { TOPICS, type TopicSlug } from '../topics.ts';

/** All topics, with what they are about; the current one is marked. */
export function topicsList(current?: TopicSlug): Node {
  return (
    <ul className="topics">
      {TOPICS.map(({ slug, name, blurb }) => (
        <li>
          <a
            className={`topic topic-${slug}`}
            href={`/posts?topic=${slug}`}
            aria-current={slug === current ? 'page' : undefined}
          >
            {name}
          </a>
          <span className="note">{blurb}</span>
        </li>
      ))}
    </ul>
  );
}
