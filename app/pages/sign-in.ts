import { invalid, page, redirect } from 'coherent-render-server';
import { z } from 'zod';
import { flashNotes } from '../components/flashes.ts';
import { formField, titled } from '../components/form-field.ts';
import { isRight } from '../passwords.ts';
import type { UserRow } from '../rows.ts';

type Account = Pick<UserRow, 'id' | 'name'> & { readonly password: string };

export default page({
  personal: true,
  form: {
    handle: z.string('Who are you?').trim().toLowerCase().min(1, 'Who are you?').max(60, 'That is too long.'),
    password: z.string('And the password?').min(1, 'And the password?').max(200, 'That is too long.'),
  },
  // Without a limit a password can be guessed, from one address or from many.
  throttle: {
    address: { max: 20, withinMs: 60_000 },
    account: { max: 10, withinMs: 15 * 60_000, of: ({ form }) => form.handle },
  },
  action: async ({ form, db, session, flash }) => {
    const account = await db.one<Account>(
      `select u.id, u.name, a.password from users u join accounts a on a.user_id = u.id where u.handle = $1`,
      [form.handle],
    );
    // One message for both, so that it does not tell who has an account.
    if (!(await isRight(form.password, account?.password)) || account === null)
      return invalid({ handle: 'Nobody here has this handle and this password.' });
    session.set({ userId: account.id, name: account.name });
    flash(`Good to see you, ${account.name}.`, 'success');
    return redirect('/my/posts');
  },
  load: ({ session, flashes }) => (session.data === undefined ? { said: flashes() } : redirect('/my/posts')),
  head: (_, feedback) => ({ title: titled('Sign in', feedback), robots: 'noindex' }),
  view: ({ said }, feedback) => [
    flashNotes(said),
    { h1: 'Sign in' },
    { p: { className: 'lead', text: 'With the handle and the password that you chose.' } },
    {
      form: {
        className: 'comment-form account',
        method: 'post',
        children: [
          formField(
            {
              name: 'handle',
              label: 'Handle',
              props: { autocomplete: 'username', maxlength: 60, autocapitalize: 'none', spellcheck: 'false' },
            },
            feedback,
          ),
          formField(
            {
              name: 'password',
              label: 'Password',
              secret: true,
              props: { type: 'password', autocomplete: 'current-password', maxlength: 200 },
            },
            feedback,
          ),
          { button: { type: 'submit', text: 'Sign in' } },
        ],
      },
    },
    { p: { children: ['New here? ', { a: { href: '/sign-up', text: 'Make an account' } }, '.'] } },
  ],
});
