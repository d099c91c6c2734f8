import pg from 'pg';
import { expect, it } from 'vitest';
import { canonicalDatabaseUrl, filesOf } from './database-url.ts';

/** Where the driver would connect, and as whom. */
function parametersOf(connectionString: string) {
  const { host, port, user, password, database } = new pg.Client({ connectionString });
  return { host, port, user, password, database };
}

it.each([
  'postgres://u:p@db.example.org:6543/shop',
  'postgresql://u:p@db.example.org/shop',
  'postgres://db.example.org/shop',
  'postgres://u@db.example.org/shop',
  'postgres://u:p@/shop?host=/cloudsql/p:r:i',
  'postgres:///shop?host=/var/run/postgresql&port=5433',
  'postgres://u:p@%2Fvar%2Frun%2Fpostgresql/shop',
  'postgres://u%40corp:p%23%2F%3F%25@db/shop%20one',
  'postgres://u:p%ss@db/shop',
  'postgres://u:p w@db/shop',
  'postgres://u:p@[::1]:5432/shop',
  'postgres://u:p@db/shop?sslmode=disable&application_name=x',
  'socket:/var/run/postgresql?db=shop',
  '/var/run/postgresql shop',
])('%s leads to where the driver goes by it, and every URL parser reads it', (given) => {
  const canonical = canonicalDatabaseUrl(given);
  expect(URL.canParse(canonical)).toBe(true);
  expect(parametersOf(canonical)).toEqual(parametersOf(given));
  expect(canonicalDatabaseUrl(canonical)).toBe(canonical);
});

it.each([
  'mysql://u:p@db/shop',
  'postgres://u:p@a:5432,b:5432/shop',
  'postgres://u:p@a,b/shop',
  'postgres://u:p@/shop?host=a,b',
  'postgres://u:pa/ss@db/shop',
  'postgres://u:p@db/shop?sslmode=allow',
  'db.example.org',
  '',
])('%s is refused', (given) => {
  expect(() => canonicalDatabaseUrl(given)).toThrow();
});

it('knows the files that it names', () => {
  expect(filesOf('postgres://db/x?sslmode=verify-full&sslrootcert=/ca.pem&sslkey=/k')).toEqual([
    '/ca.pem',
    '/k',
  ]);
});
