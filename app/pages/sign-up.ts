import { invalid, page, QueryError, redirect } from 'coherent-render-server';
import { z } from 'zod';
import { formField, titled } from '../components/form-field.ts';
import { hashOf } from '../passwords.ts';

/** Postgres: a row with this handle is there. */
const UNIQUE_VIOLATION = '23505';

// The same for everybody, so it is kept like any page: forms need no token here.
export default page({
  cache: { ttlMs: 3_600_000 },
  form: {
    name: z
      .string('What shall we call you?')
      .trim()
      .min(1, 'What shall we call you?')
      .max(80, 'That is too long.'),
    handle: z
      .string('Choose a handle.')
      .trim()
      .toLowerCase()
      .regex(/^[a-z0-9-]{1,60}$/, 'Letters from a to z, digits and hyphens, 60 at most.'),
    password: z
      .string('Choose a password.')
      .min(10, 'At least ten characters.')
      .max(200, 'That is too long.'),
  },
  throttle: { address: { max: 10, withinMs: 60 * 60_000 } },
  action: async ({ form, db, session, flash }) => {
    const password = await hashOf(form.password);
    let id: number;
    try {
      id = await db.transaction(async (tx) => {
        const user = await tx.one<{ id: number }>(
          'insert into users (handle, name) values ($1, $2) returning id',
          [form.handle, form.name],
        );
        if (user === null) throw new Error('A row that was inserted did not come back.');
        await tx.execute('insert into accounts (user_id, password) values ($1, $2)', [user.id, password]);
        return user.id;
      });
    } catch (error) {
      if (error instanceof QueryError && error.sqlState === UNIQUE_VIOLATION)
        return invalid({ handle: 'Somebody has this handle already.' });
      throw error;
    }
    session.set({ userId: id, name: form.name });
    flash(`Welcome, ${form.name}. This page is yours.`, 'success');
    return redirect('/my/posts');
  },
  head: (_, feedback) => ({ title: titled('Make an account', feedback) }),
  view: (_, feedback) => [
    { h1: 'Make an account' },
    { p: { className: 'lead', text: 'A name, a handle, a password: nothing else is asked for.' } },
    {
      form: {
        className: 'comment-form account',
        method: 'post',
        children: [
          formField(
            { name: 'name', label: 'Name', props: { autocomplete: 'name', maxlength: 80 } },
            feedback,
          ),
          formField(
            {
              name: 'handle',
              label: 'Handle',
              hint: 'Your page will be at /u/your-handle.',
              props: { autocomplete: 'username', maxlength: 60, autocapitalize: 'none', spellcheck: 'false' },
            },
            feedback,
          ),
          formField(
            {
              name: 'password',
              label: 'Password',
              hint: 'At least ten characters.',
              secret: true,
              props: { type: 'password', autocomplete: 'new-password', maxlength: 200 },
            },
            feedback,
          ),
          { button: { type: 'submit', text: 'Make it' } },
        ],
      },
    },
    { p: { children: ['Been here before? ', { a: { href: '/sign-in', text: 'Sign in' } }, '.'] } },
  ],
});
