// As minimal.ts, with views in TSX that are precompiled.
import { SCHEMA, SEED, STYLE } from './minimal.ts';

export function tsxFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['schema.sql', SCHEMA],
    ['seed.ts', SEED],
    ['vite.config.js', VITE_CONFIG],
    ['pages/_layout.tsx', LAYOUT],
    ['pages/index.tsx', HOME],
    ['pages/users/[id].tsx', USER],
    ['public/style.css', STYLE],
  ]);
}

/** Plain JavaScript, because types of what plugins are made with are no business of the application. */
const VITE_CONFIG = `import { precompile } from 'coherent-render-server/precompile';
import { defineConfig } from 'vite';

export default defineConfig({ plugins: [precompile.vite()] });
`;

const LAYOUT = `import { layout } from 'coherent-render-server';

export default layout({
  lang: 'en',
  head: ({ asset }) => <link rel="stylesheet" href={asset('/style.css')} />,
  view: ({ content }) => (
    <>
      <header>
        <a href="/">Home</a>
      </header>
      <main>{content}</main>
    </>
  ),
});
`;

const HOME = `import { page } from 'coherent-render-server';

export default page({
  load: ({ db }) => db.many<{ id: number; name: string }>('SELECT id, name FROM users ORDER BY name LIMIT 100'),
  head: () => ({ title: 'People' }),
  view: (users) => (
    <>
      <h1>People</h1>
      <ul>
        {users.map(({ id, name }) => (
          <li>
            <a href={\`/users/\${id}\`}>{name}</a>
          </li>
        ))}
      </ul>
    </>
  ),
});
`;

const USER = `import { notFound, page } from 'coherent-render-server';
import { z } from 'zod';

export default page({
  params: { id: z.coerce.number().int().positive() },
  cache: { ttlMs: 300_000, staleWhileRevalidateMs: 60_000 },
  load: async ({ params, db }) => {
    const user = await db.byId<{ id: number; name: string; bio: string }>('users', params.id);
    return user ?? notFound();
  },
  head: (user) => ({ title: user.name, description: user.bio }),
  view: (user) => (
    <article className="card">
      <h1>{user.name}</h1>
      <p>{user.bio}</p>
    </article>
  ),
});
`;
