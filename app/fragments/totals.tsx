import { fragment } from 'coherent-render-server';
import { grouped } from '../components/text.tsx';

interface Totals {
  readonly users: number;
  readonly posts: number;
  readonly comments: number;
}

/** How much there is of everything. Kept apart, because every new row changes it and little else on the page. */
export const totals = fragment('totals', {
  key: () => null,
  load: ({ db }) =>
    db.one<Totals>(
      `select (select count(*) from users) as users,
              (select count(*) from posts) as posts,
              (select count(*) from comments) as comments`,
    ),
  view: (all) =>
    all && (
      <dl className="facts">
        {fact('people', all.users)}
        {fact('posts', all.posts)}
        {fact('comments', all.comments)}
      </dl>
    ),
  cache: { ttlMs: 60_000 },
});

function fact(of: string, amount: number) {
  return (
    <div>
      <dt>{of}</dt>
      <dd>{grouped(amount)}</dd>
    </div>
  );
}
