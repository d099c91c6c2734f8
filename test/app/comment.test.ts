import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Commonplace, startCommonplace } from './commonplace.ts';
import { Document, text } from './document.ts';

let app: Commonplace;

beforeAll(async () => {
  app = await startCommonplace();
});
afterAll(() => app.close());

function send(fields: Record<string, string>): Promise<Response> {
  return fetch(`${app.origin}/posts/1`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: app.origin },
    body: new URLSearchParams(fields),
  });
}

describe('a comment', () => {
  test('is written under the handle of somebody who is there', async () => {
    const answer = await send({ handle: ' Maren-Okafor ', body: '<b>Hello</b>' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/posts/1#comments']);
    const [row] = await app.rows.query<{ user_id: number; post_id: number; body: string }>(
      'select user_id, post_id, body from comments order by id desc limit 1',
    );
    expect(row).toEqual({ user_id: 17, post_id: 1, body: '<b>Hello</b>' });
  });

  test('comes back with what was typed, and what is wrong with it', async () => {
    const before = await app.rows.query('select from comments');
    for (const [fields, message] of [
      [{ handle: 'nobody-at-all', body: 'Kept <b>text</b>' }, 'Nobody here has this handle.'],
      [{ handle: 'maren-okafor', body: ' ' }, 'Write something.'],
      [{ handle: 'maren-okafor', body: 'x'.repeat(4001) }, 'That is too long.'],
    ] as const) {
      const answer = await send(fields);
      expect(answer.status).toBe(422);
      const document = new Document(await answer.text());
      expect(text(document.withClass('wrong')[0]!)).toBe(message);
      expect(document.textOf('textarea').trim()).toBe(fields.body.trim());
    }
    expect(await app.rows.query('select from comments')).toHaveLength(before.length);
  });
});
