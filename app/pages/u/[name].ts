import { notFound, page, redirect } from 'coherent-render-server';
import { z } from 'zod';

/** Short addresses for people: /u/17 and /u/maren-okafor both lead to /users/17. */
export default page({
  params: { name: z.string().regex(/^[a-z0-9-]{1,60}$/) },
  load: async ({ params, db }) => {
    if (/^[1-9]\d{0,9}$/.test(params.name)) return redirect(`/users/${params.name}`, { permanent: true });
    const user = await db.one<{ id: number }>('select id from users where handle = $1', [params.name]);
    // People may take another handle: not a permanent address.
    return user === null ? notFound() : redirect(`/users/${user.id}`);
  },
  // Never reached: this page only ever sends people on.
  view: () => null,
});
