import { fragment } from 'coherent-render-server';
import { entry } from '../components/entry.tsx';
import type { PostRow, UserRow } from '../rows.ts';

const COLUMNS = ['id', 'user_id', 'topic', 'lang', 'title', 'summary', 'created_at'] as const;

/**
 * A post in a list. Twenty cards on a page are two statements, not forty: `byId` collects the ids that are
 * asked for at once. The number of comments comes from the page, which counts for the whole list in one go.
 */
export const postCard = fragment('post-card', {
  key: (props: { readonly id: number; readonly comments: number }) => props,
  load: async ({ key, db }) => {
    const post = await db.byId<Pick<PostRow, (typeof COLUMNS)[number]>>('posts', key.id, COLUMNS);
    if (post === null) return null;
    const author = await db.byId<Pick<UserRow, 'id' | 'name'>>('users', post.user_id, ['id', 'name']);
    return author && { post, author, comments: key.comments };
  },
  // The post may have gone between the list and its card: then there is nothing to show.
  view: (card) =>
    card &&
    entry({ ...card.post, createdAt: card.post.created_at, author: card.author, comments: card.comments }),
  cache: { ttlMs: 3_600_000 },
});
