import { type Db, type Node, page } from 'coherent-render-server';
import { entry } from '../components/entry.tsx';
import { person } from '../components/person.tsx';
import { searchForm } from '../components/search-form.tsx';
import { FOUND_END, FOUND_START, highlighted } from '../components/text.tsx';
import { words } from '../inputs.ts';
import { commentCounts } from '../queries.ts';
import type { PostRow, UserRow } from '../rows.ts';

interface Found extends Omit<PostRow, 'body'> {
  readonly author: string;
}

const LIMIT = 20;

export default page({
  query: { q: words },
  cache: { ttlMs: 60_000 },
  load: async ({ query: { q }, db }) => {
    if (q === '') return { q, posts: [], people: [], comments: new Map<number, number>() };
    const [posts, people] = await Promise.all([findPosts(db, q), findPeople(db, q)]);
    return {
      q,
      posts,
      people,
      comments: await commentCounts(
        db,
        posts.map((post) => post.id),
      ),
    };
  },
  head: ({ q }) => ({
    title: q === '' ? 'Search · Commonplace' : `${q} · Search · Commonplace`,
    robots: 'noindex, follow',
  }),
  view: ({ q, posts, people, comments }) => (
    <>
      <h1>Search</h1>
      {searchForm({ id: 'q', q, large: true })}
      {q === '' ? (
        <p className="lead">Words from a title or a text, or somebody’s name. Put a phrase in "quotes".</p>
      ) : (
        <div className="columns">
          <section className="section" aria-labelledby="posts">
            <h2 id="posts">{resultsTitle(posts.length)}</h2>
            {posts.length === 0 ? (
              <p className="note">Try fewer words, or the plain form of one: “bean” finds “beans” too.</p>
            ) : (
              <div className="ruled">{posts.map((post) => result(post, comments.get(post.id) ?? 0))}</div>
            )}
          </section>
          {people.length > 0 && (
            <section className="side" aria-labelledby="people">
              <div className="section">
                <h2 id="people">People</h2>
                {peopleList(people)}
              </div>
            </section>
          )}
        </div>
      )}
    </>
  ),
});

/**
 * What matches is found first, by the index posts_by_word (the expression must be the index's own). Without
 * `materialized` the planner, which thinks words cheap to find, walks all posts by date and looks into each.
 * Only the rows that are shown are read in full and get their marks.
 */
function findPosts(db: Db, q: string): Promise<readonly Found[]> {
  const marks = `StartSel=${FOUND_START}, StopSel=${FOUND_END}, HighlightAll=true`;
  return db.query<Found>(
    `with matches as materialized (
       select id, created_at from posts
       where to_tsvector('english', title || ' ' || summary || ' ' || body) @@ websearch_to_tsquery('english', $1)
     ), newest as materialized (
       select id from matches order by created_at desc, id desc limit ${LIMIT}
     )
     select p.id, p.user_id, p.topic, p.lang, p.created_at, u.name as author,
            ts_headline('english', p.title, websearch_to_tsquery('english', $1), $2) as title,
            ts_headline('english', p.summary, websearch_to_tsquery('english', $1), $2) as summary
     from newest join posts p on p.id = newest.id join users u on u.id = p.user_id
     order by p.created_at desc, p.id desc`,
    [q, marks],
  );
}

function findPeople(db: Db, q: string): Promise<readonly Pick<UserRow, 'id' | 'name' | 'place'>[]> {
  return db.query(
    `select id, name, place from users
     where to_tsvector('simple', name) @@ plainto_tsquery('simple', $1) order by name, id limit 6`,
    [q],
  );
}

function resultsTitle(found: number): string {
  if (found === 0) return 'No posts found';
  if (found === LIMIT) return `The newest ${LIMIT} posts`;
  return found === 1 ? 'One post' : `${found} posts`;
}

function peopleList(people: readonly Pick<UserRow, 'id' | 'name' | 'place'>[]): Node {
  return (
    <ul className="people">
      {people.map((user) => (
        <li>{person({ ...user, note: <bdi>{user.place}</bdi> })}</li>
      ))}
    </ul>
  );
}

function result(post: Found, comments: number): Node {
  return entry({
    ...post,
    title: highlighted(post.title),
    summary: highlighted(post.summary),
    createdAt: post.created_at,
    author: { id: post.user_id, name: post.author },
    comments,
  });
}
