import { expect, test } from 'vitest';
import { HitRequest } from './hit-request.ts';

const host = ['Host', 'example.com'];

test('a browser’s request is read from the raw list, whatever the case of its names', () => {
  const request = new HitRequest();
  const raw = [
    'HOST',
    'example.com',
    'User-Agent',
    'x',
    'accept-ENCODING',
    'gzip, br',
    'Cookie',
    'a=b',
    'If-None-Match',
    '"t"',
  ];
  expect(request.read(raw)).toBe(true);
  expect(request).toMatchObject({ host: 'example.com', acceptEncoding: 'gzip, br', ifNoneMatch: '"t"' });
});

test('nothing of the request before is left', () => {
  const request = new HitRequest();
  request.read([...host, 'If-None-Match', '"t"', 'Accept-Encoding', 'br']);
  expect(request.read(host)).toBe(true);
  expect(request.ifNoneMatch).toBeUndefined();
  expect(request.acceptEncoding).toBeUndefined();
});

test.each([
  ['Content-Length', '3'],
  ['Transfer-Encoding', 'chunked'],
  ['Expect', '100-continue'],
  ['Upgrade', 'h2c'],
  ['Range', 'bytes=0-3'],
  ['If-Modified-Since', 'Sun, 22 Nov 2026 13:00:00 GMT'],
  ['If-Match', '"t"'],
  ['Authorization', 'Bearer x'],
  ['X-Coherent-Debug', 'token'],
  ['x-no-compression', '1'],
  ['Connection', 'close'],
  ['Connection', 'keep-alive, Upgrade'],
])('%s: %s is left to the ordinary path', (name, value) => {
  expect(new HitRequest().read([...host, name, value])).toBe(false);
});

test('a header that came twice, and a request without Host, are left to the ordinary path', () => {
  const request = new HitRequest();
  expect(request.read([...host, ...host])).toBe(false);
  expect(request.read([...host, 'Accept-Encoding', 'br', 'accept-encoding', 'gzip'])).toBe(false);
  expect(request.read([...host, 'If-None-Match', '"a"', 'If-None-Match', '"b"'])).toBe(false);
  expect(request.read(['Accept', '*/*'])).toBe(false);
});

test('names nobody uses are judged rightly also when no more of them are remembered', () => {
  const request = new HitRequest();
  for (let index = 0; index < 3000; index++)
    expect(request.read([...host, `X-Random-${index}`, 'v'])).toBe(true);
  expect(request.read([...host, 'rAnGe', 'bytes=0-1'])).toBe(false);
  // Learned although there was a flood before it.
  expect(request.remembered('rAnGe')).toBe(true);
  expect(request.remembered('X-Random-0')).toBe(false);
});

test('a request of very many headers is left to the ordinary path, which may refuse it', () => {
  const many = Array.from({ length: 70 }, (_, index) => [`x-${index}`, 'v']).flat();
  expect(new HitRequest().read([...host, ...many])).toBe(false);
});
