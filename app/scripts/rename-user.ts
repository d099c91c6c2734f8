// Gives a person another name, as any other program that writes to the database would: it knows nothing of
// the server that renders pages.
//
//   node dist/app/scripts/rename-user.js 17 "Maren O. Okafor"
//   node dist/app/scripts/rename-user.js 17 "Maren O. Okafor" postgres://...     another database
//   node dist/app/scripts/rename-user.js 17 "Maren O. Okafor" /var/lib/coherent  the embedded one in another DATA_DIR
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

/** The name the person had; undefined when there is nobody with this id. */
export async function renameUser(databaseUrl: string, id: number, name: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'rename-user' });
  await client.connect();
  try {
    const result = await client.query<{ before: string }>(
      `update users set name = $2 from (select id, name from users where id = $1 for update) old
       where users.id = old.id returning old.name as before`,
      [id, name],
    );
    return result.rows[0]?.before;
  } finally {
    await client.end();
  }
}

/** The address of the server that runs in DATA_DIR: its port is in the file that Postgres keeps while it runs. */
export function embeddedUrl(dataDir: string): string {
  const home = join(dataDir, 'postgres');
  const password = readFileSync(join(home, 'password'), 'utf8').trim();
  const port = readFileSync(join(home, 'data', 'postmaster.pid'), 'utf8').split('\n')[3];
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
}

async function main([id = '', name = '', where = '.data']: readonly string[]): Promise<string> {
  if (!/^\d+$/.test(id) || name === '')
    throw new Error('Usage: rename-user <id> <name> [database url | data folder]');
  const before = await renameUser(
    /^postgres(ql)?:/.test(where) ? where : embeddedUrl(where),
    Number(id),
    name,
  );
  if (before === undefined) throw new Error(`There is nobody with the id ${id}.`);
  return `${before} is now ${name}: see /users/${id}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2)).then(
    (done) => process.stdout.write(`${done}\n`),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    },
  );
}
