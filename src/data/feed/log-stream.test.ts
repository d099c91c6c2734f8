import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import pg from 'pg';
import { expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { freePort } from '../../../test/support/redis.ts';
import { LogStream } from './log-stream.ts';

it('calls a server silent that does not answer, and none that was not asked', async () => {
  // It takes everything and says nothing.
  const server = createServer((socket) => socket.resume());
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const connection = new pg.Connection({ stream: () => socket });
  const time = new ManualClock();
  const handlers = { data: () => {}, position: () => {}, started: () => {}, ended: () => {} };
  const stream = new LogStream({ slot: 's', publication: 'p', clock: time, handlers });
  stream.submit(connection);
  connection.emit('replicationStart');
  stream.release();

  // Nobody has written for a while: the first question after that is no reason to give the server up.
  time.advance(60_000);
  stream.sendStatus(true);
  expect(stream.silentMs).toBe(0);
  time.advance(5_000);
  stream.sendStatus(true);
  time.advance(2_000);
  expect(stream.silentMs).toBe(7_000);
  const keepalive = Buffer.alloc(18);
  keepalive.writeUInt8(0x6b, 0);
  stream.handleCopyData({ chunk: keepalive });
  expect(stream.silentMs).toBe(0);

  stream.stop();
  socket.destroy();
  server.close();
});
