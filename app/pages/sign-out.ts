import { page, redirect } from 'coherent-render-server';

// By POST alone: a link that signs people out could stand on any page of any site.
export default page({
  cache: { ttlMs: 3_600_000 },
  action: ({ session, flash }) => {
    session.clear();
    flash('You are signed out. Nothing of yours is left in this browser.');
    return redirect('/sign-in');
  },
  head: () => ({ title: 'Sign out · Commonplace', robots: 'noindex' }),
  view: () => [
    { h1: 'Sign out' },
    {
      form: {
        className: 'comment-form account',
        method: 'post',
        children: { button: { type: 'submit', text: 'Sign out' } },
      },
    },
  ],
});
