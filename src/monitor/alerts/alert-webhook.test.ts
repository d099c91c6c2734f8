import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { LogLines } from '../../../test/support/log-lines.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { systemClock } from '../../core/clock.ts';
import { openPoster } from '../../core/post.ts';
import type { AlertFormat } from './alert-message.ts';
import { AlertWebhook } from './alert-webhook.ts';
import type { Notice } from './alerts.ts';

const open: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

type Answer = (response: ServerResponse, request: IncomingMessage) => void;
const ok: Answer = (response) => response.writeHead(200).end('ok');

/** A real receiver, which answers the n-th request as the n-th of `answers` says, and then like the last. */
async function start(answers: readonly Answer[], { format = 'json' as AlertFormat, timeoutMs = 5000 } = {}) {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    bodies.push(body);
    (answers[bodies.length - 1] ?? answers.at(-1) ?? ok)(response, request);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/T0/s3cret`;
  const logger = new LogLines();
  const clock = new ManualClock();
  const poster = openPoster({ timeoutMs, clock: systemClock });
  const sender = { host: 'host-1', version: '1.2.3' };
  const webhook = new AlertWebhook({ url, format, sender, poster, clock, random: () => 1, logger });
  open.push(
    () => webhook.close(),
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return { webhook, clock, logger, bodies, received: () => bodies.map((body) => JSON.parse(body)) };
}

function notice(code: string, parts: Partial<Notice> = {}): Notice {
  const figures = { percent: 91 };
  const alert = { id: `${code}-1`, code, severity: 'warning', says: `${code} <!channel>`, figures } as const;
  return { state: 'raised', alert: { ...alert, raisedAtMs: 1_700_000_000_000 }, untold: 0, ...parts };
}

describe('the alert webhook', () => {
  it('is told in order, once each', async () => {
    const { webhook, received } = await start([ok]);
    for (const code of ['a', 'b', 'c']) webhook.tell(notice(code));
    await expect.poll(() => webhook.stats().delivered).toBe(3);
    expect(received().map(({ code }) => code)).toEqual(['a', 'b', 'c']);
    expect(received()[0]).toEqual({
      id: 'a-1',
      code: 'a',
      state: 'raised',
      severity: 'warning',
      message: 'a <!channel>',
      figures: { percent: 91 },
      raisedAt: '2023-11-14T22:13:20.000Z',
      resolvedAt: null,
      untold: 0,
      host: 'host-1',
      version: '1.2.3',
    });
  });

  it('speaks to Slack in its own form, and calls nobody by accident', async () => {
    const { webhook, received } = await start([ok], { format: 'slack' });
    webhook.tell(notice('high_memory', { untold: 4 }));
    await expect.poll(() => webhook.stats().delivered).toBe(1);
    const [body] = received();
    expect(body.text).toBe('[warning] high_memory on host-1: high_memory &lt;!channel&gt;');
    expect(body.attachments[0].blocks[0]).toEqual({
      type: 'section',
      text: { type: 'mrkdwn', text: body.text },
    });
    expect(JSON.stringify(body)).toContain('4 more alerts were not told');
  });

  it('tries again after a failure, later each time, and keeps the order', async () => {
    const busy: Answer = (response) => response.writeHead(503).end();
    const { webhook, clock, received, logger } = await start([busy, busy, ok]);
    webhook.tell(notice('a'));
    webhook.tell(notice('b'));
    await expect.poll(() => webhook.stats().failures).toBe(1);
    clock.advance(999);
    expect(received()).toHaveLength(1);
    clock.advance(1);
    await expect.poll(() => webhook.stats().failures).toBe(2);
    clock.advance(2000);
    await expect.poll(() => webhook.stats().delivered).toBe(2);
    expect(received().map(({ code }) => code)).toEqual(['a', 'a', 'a', 'b']);
    expect(logger.lines.map(({ fields }) => fields.delayMs)).toEqual([1000, 2000]);
  });

  it('waits as long as a 429 asks for', async () => {
    const { webhook, clock, received } = await start([
      (response) => response.writeHead(429, { 'retry-after': '30' }).end(),
      ok,
    ]);
    webhook.tell(notice('a'));
    await expect.poll(() => webhook.stats().failures).toBe(1);
    clock.advance(29_999);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    await expect.poll(() => webhook.stats().delivered).toBe(1);
    expect(received()).toHaveLength(2);
  });

  it('waits ten minutes at most, whatever it is asked for', async () => {
    const { webhook, clock } = await start([
      (response) => response.writeHead(429, { 'retry-after': '99999999' }).end(),
      ok,
    ]);
    webhook.tell(notice('a'));
    await expect.poll(() => webhook.stats().failures).toBe(1);
    clock.advance(600_000);
    await expect.poll(() => webhook.stats().delivered).toBe(1);
  });

  it('gives up what is refused, and tells the next', async () => {
    const { webhook, received, logger } = await start([(response) => response.writeHead(404).end(), ok]);
    webhook.tell(notice('a'));
    webhook.tell(notice('b'));
    await expect.poll(() => webhook.stats().delivered).toBe(1);
    expect(received().map(({ code }) => code)).toEqual(['a', 'b']);
    expect(logger.lines).toMatchObject([{ level: 'error', fields: { alert: 'a', why: 'answered 404' } }]);
  });

  it('gives up after eight attempts', async () => {
    const { webhook, clock } = await start([(response) => response.writeHead(500).end()]);
    webhook.tell(notice('a'));
    for (let failures = 1; failures < 8; failures++) {
      await expect.poll(() => webhook.stats().failures).toBe(failures);
      clock.advanceToNext();
    }
    await expect.poll(() => webhook.stats()).toMatchObject({ dropped: 1, waiting: 0, failures: 8 });
    expect(clock.pending).toBe(0);
  });

  it('holds nobody up and keeps a bounded number while it hangs', async () => {
    const { webhook, bodies, logger } = await start([() => {}], { timeoutMs: 60_000 });
    for (let count = 0; count < 5000; count++) webhook.tell(notice(`code${count}`));
    expect(webhook.stats().waiting).toBe(50);
    await expect.poll(() => bodies.length).toBe(1);
    expect(webhook.stats().dropped).toBe(4950);
    expect(logger.lines[0]?.fields).toMatchObject({ alert: 'code1', why: 'queue full' });
  });

  it('takes no notice of an answer without end', async () => {
    const { webhook } = await start([
      (response) => {
        response.writeHead(200);
        const flood = () => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        };
        response.on('drain', flood);
        flood();
      },
    ]);
    webhook.tell(notice('a'));
    webhook.tell(notice('b'));
    await expect.poll(() => webhook.stats().delivered).toBe(2);
  });

  it('writes its address nowhere', async () => {
    const { webhook, clock, logger, bodies } = await start([
      (response) => response.destroy(),
      (response) => response.writeHead(302, { location: 'http://127.0.0.1/services/T0/s3cret' }).end(),
    ]);
    webhook.tell(notice('a'));
    await expect.poll(() => webhook.stats().failures).toBe(1);
    clock.advance(1000);
    await expect.poll(() => webhook.stats().dropped).toBe(1);
    expect(JSON.stringify([logger.lines, bodies])).not.toMatch(/s3cret|127\.0\.0\.1/);
  });

  it('leaves nothing behind when it is closed', async () => {
    const { webhook, clock } = await start([(response) => response.writeHead(503).end()]);
    webhook.tell(notice('a'));
    await expect.poll(() => webhook.stats().failures).toBe(1);
    await webhook.close();
    webhook.tell(notice('b'));
    expect([clock.pending, webhook.stats().waiting]).toEqual([0, 0]);
  });
});
