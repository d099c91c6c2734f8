import { page } from 'coherent-render-server';

/** Nothing of this comes from the database: rendered once and kept. */
export default page({
  cache: { static: true, ttlMs: 86_400_000 },
  head: () => ({
    title: 'About · Commonplace',
    description: 'What a commonplace book is, and how this one is made.',
    canonical: '/about',
  }),
  view: () => (
    <article className="post">
      <h1>About this book</h1>
      <div className="prose">
        <p>
          A commonplace book is where people used to copy down whatever was worth keeping: a refreshable page,
          a line from a letter, the day the swifts came back.
        </p>
        <p>
          This one is a sample for a render server. Its people, their posts and their answers are rows in
          Postgres, made up by a program that makes up the same ones every time.
        </p>
        <p>
          Every page you see is made on the server from those rows, and then kept, ready to be sent again, for
          as long as it is true.
        </p>
        <p>
          {
            'There is no script on these pages. They follow your light or dark setting, print without the furniture, and read well aloud. Some '
          }
          <a href="/users/99">names</a>
          {' and some '}
          <a href="/search?q=label">titles</a>
          {' are awkward on purpose.'}
        </p>
      </div>
    </article>
  ),
});
