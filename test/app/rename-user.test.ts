import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { embeddedUrl, renameUser } from '../../app/scripts/rename-user.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

let real: TestDatabase;
const folder = mkdtempSync(join(tmpdir(), 'rename-user-'));

beforeAll(async () => {
  real = await testDatabase(
    "create table users (id int primary key, name text); insert into users values (17, 'Maren')",
  );
});
afterAll(async () => {
  await real.close();
  rmSync(folder, { recursive: true });
});

test('a person gets another name, whatever it is made of', async () => {
  const name = `O'Brien <b>"17"</b>`;
  expect(await renameUser(real.url, 17, name)).toBe('Maren');
  expect(await real.query('select name from users')).toEqual([{ name }]);
  expect(await renameUser(real.url, 18, 'Nobody')).toBeUndefined();
});

test('the embedded server is found by the files that it keeps', () => {
  mkdirSync(join(folder, 'postgres', 'data'), { recursive: true });
  writeFileSync(join(folder, 'postgres', 'password'), 'secret\n');
  writeFileSync(
    join(folder, 'postgres', 'data', 'postmaster.pid'),
    '1\n/data\n1763800000\n40123\n\n127.0.0.1\n',
  );
  expect(embeddedUrl(folder)).toBe('postgres://postgres:secret@127.0.0.1:40123/postgres');
});
