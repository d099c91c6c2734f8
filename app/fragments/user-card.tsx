import { fragment } from 'coherent-render-server';
import { person } from '../components/person.tsx';
import type { UserRow } from '../rows.ts';

/** A face, a name and a place. It stands on hundreds of pages and is rendered again only when its row changes. */
export const userCard = fragment('user-card', {
  key: (props: { readonly id: number }) => props.id,
  load: ({ key, db }) =>
    db.byId<Pick<UserRow, 'id' | 'name' | 'place'>>('users', key, ['id', 'name', 'place']),
  view: (user) => user && person({ ...user, note: <span dir="auto">{user.place}</span> }),
  cache: { ttlMs: 3_600_000 },
});
