import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.ts';
import { type LogMessage, PgoutputDecoder } from './change-keys-pgoutput.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase(`
    create table notes (id int primary key, body text, seen timestamptz, size int generated always as (length(body)) stored);
    alter table notes alter column body set storage external;
    create publication log for all tables;
  `);
  await database.query(`select pg_create_logical_replication_slot('log_' || current_database(), 'pgoutput')`);
});

afterAll(async () => {
  await database?.close();
});

async function log(...statements: string[]): Promise<LogMessage[]> {
  await database.query('set synchronous_commit = on');
  for (const sql of statements) await database.query(sql);
  const rows = await database.query<{ data: Buffer }>(
    `select data from pg_logical_slot_get_binary_changes('log_' || current_database(), null, null,
       'proto_version', '1', 'publication_names', 'log', 'messages', 'true')`,
  );
  const decoder = new PgoutputDecoder();
  return rows.map(({ data }) => decoder.decode(data));
}

describe('the log as pgoutput writes it', () => {
  it('keeps the text of values, to the microsecond, and leaves generated columns out', async () => {
    const messages = await log(
      `insert into notes (id, body, seen) values (1, 'x', '2026-01-01 00:00:00.000001+00')`,
    );
    expect(messages.map((message) => message.tag)).toEqual(['begin', 'relation', 'change', 'commit']);
    expect(messages[2]).toMatchObject({
      change: {
        kind: 'insert',
        table: {
          schema: 'public',
          name: 'notes',
          identity: 'default',
          columns: ['id', 'body', 'seen'],
          keyColumns: ['id'],
        },
        new: { id: '1', body: 'x', seen: expect.stringMatching(/000001/) },
      },
    });
  });

  it('marks a TOAST value that an update did not touch', async () => {
    await log(`update notes set body = repeat('x', 9000)`);
    const [change] = (await log(`update notes set seen = null`)).filter(
      (message) => message.tag === 'change',
    );
    expect(change).toMatchObject({
      change: { kind: 'update', old: null, new: { id: '1', body: undefined, seen: null } },
    });
  });

  it('tells old keys, deletes, truncation and messages', async () => {
    const messages = await log(
      'update notes set id = 2',
      'delete from notes',
      'truncate notes',
      `select pg_logical_emit_message(true, 'coherent', 'weather:berlin')`,
    );
    expect(messages.flatMap((message) => (message.tag === 'change' ? message.change.kind : []))).toEqual([
      'update',
      'delete',
      'truncate',
    ]);
    expect(messages).toContainEqual(
      expect.objectContaining({
        change: expect.objectContaining({ old: expect.objectContaining({ id: '1' }) }),
      }),
    );
    expect(messages).toContainEqual({
      tag: 'message',
      transactional: true,
      prefix: 'coherent',
      content: Buffer.from('weather:berlin'),
    });
  });

  it('refuses bytes that are not pgoutput', () => {
    const decoder = new PgoutputDecoder();
    expect(() => decoder.decode(Buffer.from('I\0\0\0\x09N'))).toThrow(/was not described/);
    expect(() => decoder.decode(Buffer.from('B123'))).toThrow(/cut off/);
  });
});
