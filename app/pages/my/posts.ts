import { type Feedback, type Node, page, redirect } from 'coherent-render-server';
import { z } from 'zod';
import { flashNotes } from '../../components/flashes.ts';
import { formField, titled } from '../../components/form-field.ts';
import { postCard } from '../../fragments/post-card.ts';
import { commentCounts } from '../../queries.ts';
import { TOPIC_SLUGS, TOPICS } from '../../topics.ts';

export default page({
  personal: true,
  form: {
    title: z.string('Give it a title.').trim().min(1, 'Give it a title.').max(160, 'That is too long.'),
    topic: z.enum(TOPIC_SLUGS, 'Choose what it is about.'),
    body: z.string('Write something.').trim().min(1, 'Write something.').max(20_000, 'That is too long.'),
  },
  throttle: { address: { max: 30, withinMs: 60 * 60_000 } },
  action: async ({ form, session, db, visible, flash }) => {
    // The guard has let them pass in this very request.
    if (session.data === undefined) return redirect('/sign-in');
    const summary = form.body.split('\n')[0]?.slice(0, 200) ?? '';
    await db.transaction((tx) =>
      tx.execute('insert into posts (user_id, topic, title, summary, body) values ($1, $2, $3, $4, $5)', [
        session.data?.userId,
        form.topic,
        form.title,
        summary,
        form.body,
      ]),
    );
    await visible();
    flash('It is written. Everybody can read it now.', 'success');
    return redirect('/my/posts');
  },
  load: async ({ session, flashes, db }) => {
    if (session.data === undefined) return redirect('/sign-in');
    const { userId, name } = session.data;
    const posts = await db.query<{ id: number }>(
      'select id from posts where user_id = $1 order by created_at desc, id desc limit 20',
      [userId],
    );
    const comments = await commentCounts(
      db,
      posts.map(({ id }) => id),
    );
    return { userId, name, posts, comments, said: flashes() };
  },
  head: (_, feedback) => ({ title: titled('My posts', feedback), robots: 'noindex' }),
  view: ({ userId, name, posts, comments, said }, feedback) => [
    flashNotes(said),
    { h1: 'My posts' },
    { p: { className: 'lead', dir: 'auto', text: `Written by ${name}.` } },
    mine(userId),
    posts.length === 0
      ? { p: 'Nothing yet. The first page of a notebook is the hardest.' }
      : {
          ol: {
            className: 'ruled',
            children: posts.map(({ id }) => ({
              li: { children: postCard({ id, comments: comments.get(id) ?? 0 }) },
            })),
          },
        },
    write(feedback),
  ],
});

function mine(userId: number): Node {
  return {
    ul: {
      className: 'mine',
      children: [
        { li: { children: { a: { href: `/users/${userId}`, text: 'As others see it' } } } },
        { li: { children: { a: { href: '/members', text: 'The members’ room' } } } },
        {
          li: {
            children: {
              form: {
                method: 'post',
                action: '/sign-out',
                children: { button: { type: 'submit', text: 'Sign out' } },
              },
            },
          },
        },
      ],
    },
  };
}

function write(feedback: Feedback | undefined): Node {
  return {
    section: {
      className: 'section',
      'aria-labelledby': 'write',
      children: [
        { h2: { id: 'write', text: 'Write something new' } },
        {
          form: {
            className: 'comment-form',
            method: 'post',
            children: [
              formField({ name: 'title', label: 'Title', props: { maxlength: 160 } }, feedback),
              topicField(feedback),
              formField({ name: 'body', label: 'Text', rows: 8, props: { maxlength: 20_000 } }, feedback),
              { button: { type: 'submit', text: 'Put it there' } },
            ],
          },
        },
      ],
    },
  };
}

function topicField(feedback: Feedback | undefined): Node {
  const chosen = feedback?.values.topic;
  return {
    div: {
      children: [
        { label: { for: 'topic', text: 'About' } },
        feedback?.errors.topic !== undefined && { p: { className: 'wrong', text: feedback.errors.topic } },
        {
          select: {
            id: 'topic',
            name: 'topic',
            children: TOPICS.map(({ slug, name }) => ({
              option: { value: slug, selected: slug === chosen, text: name },
            })),
          },
        },
      ],
    },
  };
}
