import { guard, redirect } from 'coherent-render-server';

export default guard(({ session }) => (session.data === undefined ? redirect('/sign-in') : undefined));
