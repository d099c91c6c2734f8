import { page } from 'coherent-render-server';
import { avatar, personLink } from '../../components/person.tsx';
import { day } from '../../components/time.tsx';
import type { UserRow } from '../../rows.ts';

type Member = Pick<UserRow, 'id' | 'name' | 'joined_at'>;

// Made once for all members, and shown to none but them: the guard of this folder asks first.
export default page({
  cache: { ttlMs: 300_000 },
  load: async ({ db }) => ({
    members: await db.query<Member>(
      `select u.id, u.name, u.joined_at from accounts a join users u on u.id = a.user_id
       order by u.joined_at desc, u.id desc limit 30`,
    ),
  }),
  head: () => ({ title: 'The members’ room · Commonplace', robots: 'noindex' }),
  view: ({ members }) => [
    { h1: 'The members’ room' },
    {
      p: { className: 'lead', text: 'Behind the curtain: those who have an account here, the newest first.' },
    },
    {
      ol: {
        className: 'ruled',
        children: members.map(({ id, name, joined_at }) => ({
          li: {
            children: {
              article: {
                className: 'entry',
                children: [
                  { div: { className: 'margin', children: day(joined_at) } },
                  { p: { className: 'byline', children: [avatar(id, name), personLink(id, name)] } },
                ],
              },
            },
          },
        })),
      },
    },
    { p: { children: { a: { href: '/my/posts', text: 'My posts' } } } },
  ],
});
