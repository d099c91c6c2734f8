// The sample application on a real server and a real database, with a small share of its rows.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import settings from '../../app/app.ts';
import { seedWith } from '../../app/seed.ts';
import { systemClock } from '../../src/core/clock.ts';
import { Database } from '../../src/data/read/database.ts';
import { insertMany } from '../../src/embedded/bulk.ts';
import { assemble } from '../../src/page/application/application.ts';
import { filesBelow, readPublicFiles } from '../../src/page/application/public-files.ts';
import { testDatabase } from '../support/postgres.ts';
import { silent } from '../support/silent.ts';
import { startSite } from '../support/site.ts';
import { Document } from './document.ts';

export const SIZES = { users: 400, posts: 2000, comments: 4000 };

const folder = fileURLToPath(new URL('../../app/', import.meta.url));

export type Commonplace = Awaited<ReturnType<typeof startCommonplace>>;

export async function startCommonplace() {
  const rows = await testDatabase(readFileSync(`${folder}schema.sql`, 'utf8'));
  await seedWith(SIZES)({
    insert: (table, columns, values) => insertMany(rows.query, table, columns, values, () => {}),
    query: rows.query,
  });
  await rows.query(readFileSync(`${folder}indexes.sql`, 'utf8'));
  await rows.query('analyze');

  let statements = 0;
  const database = new Database({
    connectionString: rows.url,
    logger: silent,
    clock: systemClock,
    max: 4,
    onStatementEnd: () => {
      statements++;
    },
  });
  const files = await readPublicFiles(`${folder}public`);
  const application = assemble({ modules: await pageModules(), build: 'test', files, settings });
  const site = await startSite({
    application,
    readScopes: database,
    fragmentCache: true,
    writing: {
      writeScope: (signal) => database.writeScope(signal),
      visible: async () => ({ applied: false, reason: 'feed-off', missing: [] }),
    },
  });

  const ask = (path: string) => fetch(site.origin + path, { redirect: 'manual' });
  return {
    rows,
    database,
    origin: site.origin,
    ask,
    open: async (path: string) => {
      const response = await ask(path);
      const html = await response.text();
      return { status: response.status, headers: response.headers, html, document: new Document(html) };
    },
    /** How many statements an answer took. */
    statementsOf: async (path: string) => {
      const before = statements;
      await (await ask(path)).arrayBuffer();
      return statements - before;
    },
    close: async () => {
      await site.close();
      await database.close();
      await rows.close();
    },
  };
}

async function pageModules() {
  const pages = `${folder}pages`;
  const modules = [];
  for (const file of await filesBelow(pages)) {
    const loaded: { default?: unknown } = await import(/* @vite-ignore */ pathToFileURL(file).href);
    modules.push({ file: relative(pages, file).replace(/\.tsx?$/, ''), exported: loaded.default });
  }
  return modules;
}
