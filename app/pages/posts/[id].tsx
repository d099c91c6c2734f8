import {
  type Feedback,
  invalid,
  type KeysetPage,
  type Node,
  notFound,
  page,
  redirect,
} from 'coherent-render-server';
import { z } from 'zod';
import { commentForm } from '../../components/comment-form.tsx';
import { topicLink } from '../../components/entry.tsx';
import { olderLink } from '../../components/pages-nav.tsx';
import { avatar, personLink } from '../../components/person.tsx';
import { count, foreign, paragraphs } from '../../components/text.tsx';
import { day } from '../../components/time.tsx';
import { userCard } from '../../fragments/user-card.tsx';
import { after, id } from '../../inputs.ts';
import { commentCounts } from '../../queries.ts';
import type { CommentRow, PostRow, UserRow } from '../../rows.ts';

interface Comment extends Pick<CommentRow, 'id' | 'body' | 'created_at'> {
  readonly author: Pick<UserRow, 'id' | 'name'>;
}

export default page({
  params: { id },
  query: { after },
  cache: { ttlMs: 3_600_000, staleWhileRevalidateMs: 60_000, staleIfErrorMs: 86_400_000 },
  form: {
    handle: z.string('Who are you?').trim().toLowerCase().min(1, 'Who are you?').max(60, 'That is too long.'),
    body: z.string('Write something.').trim().min(1, 'Write something.').max(4000, 'That is too long.'),
  },
  // The sample has no accounts: whoever knows a handle may write under it.
  action: async ({ params, form, db, visible }) => {
    const added = await db.transaction((tx) =>
      tx.one<{ id: number }>(
        `insert into comments (post_id, user_id, body)
         select p.id, u.id, $3 from posts p, users u where p.id = $1 and u.handle = $2 returning id`,
        [params.id, form.handle, form.body],
      ),
    );
    if (added === null) return invalid({ handle: 'Nobody here has this handle.' });
    // The page that the visitor is sent to shows the comment, whichever worker answers.
    await visible();
    return redirect(`/posts/${params.id}#comments`);
  },
  load: async ({ params, query, db }) => {
    const post = await db.byId<PostRow>('posts', params.id);
    if (post === null) return notFound();
    const [thread, counts, others] = await Promise.all([
      db.paginate<Comment>({
        table: 'comments',
        columns: ['id', 'body', 'created_at'],
        where: { post_id: post.id },
        orderBy: [{ column: 'created_at' }, { column: 'id' }],
        pageSize: 25,
        after: query.after,
        // All authors of the comments in one batch.
        include: { author: { table: 'users', columns: ['id', 'name'], kind: 'one', by: 'user_id' } },
      }),
      commentCounts(db, [post.id]),
      db.query<Pick<PostRow, 'id' | 'title' | 'lang' | 'created_at'>>(
        `select id, title, lang, created_at from posts
         where user_id = $1 and id <> $2 order by created_at desc, id desc limit 3`,
        [post.user_id, post.id],
      ),
    ]);
    return { post, thread, comments: counts.get(post.id) ?? 0, others };
  },
  head: ({ post }) => ({
    title: `${post.title} · Commonplace`,
    description: post.summary,
    canonical: `/posts/${post.id}`,
    openGraph: {
      type: 'article',
      title: post.title,
      'article:published_time': post.created_at.toISOString(),
    },
  }),
  view: ({ post, thread, comments, others }, feedback) => (
    <div className="columns first">
      <div>
        {article(post)}
        {discussion(post, thread, comments, feedback)}
      </div>
      {others.length > 0 && (
        <aside className="side" aria-labelledby="others">
          <div className="section">
            <h2 id="others">By the same person</h2>
            <ul className="others">{others.map(other)}</ul>
          </div>
        </aside>
      )}
    </div>
  ),
});

function discussion(
  post: PostRow,
  thread: KeysetPage<Comment>,
  comments: number,
  feedback: Feedback | undefined,
): Node {
  return (
    <section className="section" aria-labelledby="comments">
      <h2 id="comments">{comments === 0 ? 'No comments yet' : count(comments, 'comment')}</h2>
      {thread.rows.length > 0 && (
        <ol className="ruled">
          {thread.rows.map((comment) => (
            <li>{answer(comment)}</li>
          ))}
        </ol>
      )}
      {thread.next !== null &&
        olderLink(
          `/posts/${post.id}?${new URLSearchParams({ after: thread.next })}#comments`,
          'More comments',
        )}
      {commentForm(feedback)}
    </section>
  );
}

function article(post: PostRow): Node {
  const lang = foreign(post.lang);
  return (
    <article className="post">
      <h1 dir="auto" lang={lang}>
        {post.title}
      </h1>
      <div className="margin">
        {topicLink(post.topic)}
        {day(post.created_at)}
      </div>
      <div className="author">{userCard({ id: post.user_id })}</div>
      <div className="prose" lang={lang} dir="auto">
        {paragraphs(post.body)}
      </div>
    </article>
  );
}

function answer({ id, author, body, created_at }: Comment): Node {
  return (
    <article id={`comment-${id}`} className="entry comment">
      <div className="margin">
        <a href={`#comment-${id}`}>{day(created_at)}</a>
      </div>
      <p className="byline">
        {avatar(author.id, author.name)}
        {personLink(author.id, author.name)}
      </p>
      <div dir="auto">{paragraphs(body)}</div>
    </article>
  );
}

function other(post: Pick<PostRow, 'id' | 'title' | 'lang' | 'created_at'>): Node {
  return (
    <li>
      <a href={`/posts/${post.id}`} dir="auto" lang={foreign(post.lang)}>
        {post.title}
      </a>
      {day(post.created_at)}
    </li>
  );
}
