import { createServer, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { EncodingChoice } from '../response/negotiate.ts';
import { HitPath } from './fast-path.ts';
import { attachProved, testFastPath } from './self-test.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test('in this Node the fast path answers as Node does', async () => {
  expect(await testFastPath(5000)).toBeUndefined();
  expect(await testFastPath(0)).toBeUndefined();
});

test('a header that Node adds and the fast path does not is found, and nothing is attached', async () => {
  const writeHead = ServerResponse.prototype.writeHead;
  vi.spyOn(ServerResponse.prototype, 'writeHead').mockImplementation(function (
    this: ServerResponse,
    status,
    headers,
  ) {
    this.setHeader('x-planted', 'yes');
    return Reflect.apply(writeHead, this, [status, headers]);
  });
  const warnings: unknown[] = [];
  const nothing = () => {};
  const log: Logger = {
    debug: nothing,
    info: nothing,
    error: nothing,
    warn: (fields) => warnings.push(fields),
    child: () => log,
  };
  const hits = new HitPath({
    cache: { peek: () => undefined },
    clock: systemClock,
    encodings: new EncodingChoice(),
    maxBytes: 1000,
  });
  const server = createServer();
  const listeners = server.listenerCount('connection');
  expect(await attachProved(hits, server, log)).toBe(false);
  expect(server.listenerCount('connection')).toBe(listeners);
  expect(warnings).toEqual([expect.objectContaining({ difference: expect.stringContaining('x-planted') })]);
});

test('bytes that the fast path loses are found', async () => {
  const write = Socket.prototype.write;
  vi.spyOn(Socket.prototype, 'write').mockImplementation(function (this: Socket, ...given: unknown[]) {
    const [bytes] = given;
    // Only the fast path writes a head as bytes; Node writes text.
    const cut =
      Buffer.isBuffer(bytes) && bytes.subarray(0, 5).toString() === 'HTTP/' ? bytes.subarray(0, -1) : bytes;
    return Reflect.apply(write, this, [cut, ...given.slice(1)]);
  });
  expect(await testFastPath(5000)).toMatch(/GET|HEAD/);
});

test('a connection that is left with another idle time is found', async () => {
  const setTimeout = Socket.prototype.setTimeout;
  vi.spyOn(Socket.prototype, 'setTimeout').mockImplementation(function (this: Socket, ms, ...rest) {
    // Node's own value is 6000; the fast path must come to the same.
    const server = 'server' in this && new Error().stack?.includes('hit-connection') === true;
    return Reflect.apply(setTimeout, this, [server ? ms + 1 : ms, ...rest]);
  });
  expect(await testFastPath(5000)).toContain('6001 ms');
});
