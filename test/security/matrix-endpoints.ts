// Attacks by way of endpoints, uploads and CORS: what is sent to them must not change a page that others get, nor what comes next on
// the connection. The site has `/api`, open to everybody (POST: JSON, PUT: bytes, DELETE), `/upload`, and `/own`, for its own pages.
import { HOST, MARK, type Target } from './matrix-site.ts';

interface Row {
  readonly name: string;
  readonly tries: string;
  readonly answered: string;
  readonly bytes: (target: Target) => string;
  readonly status: number;
}

const lines = (...each: readonly string[]) => `${each.join('\r\n')}\r\n\r\n`;
const host = `Host: ${HOST}`;
const hidden = lines(`GET /echo/666?q=${MARK} HTTP/1.1`, host);

function sent(start: string, body: string, ...headers: readonly string[]): () => string {
  const length = `Content-Length: ${Buffer.byteLength(body, 'latin1')}`;
  return () => `${lines(`${start} HTTP/1.1`, host, length, ...headers)}${body}`;
}
const json = (body: string, ...headers: readonly string[]) =>
  sent('POST /api', body, 'Content-Type: application/json', ...headers);
const form = (body: string) => sent('POST /upload', body, 'Content-Type: multipart/form-data; boundary=b');
const part = (name: string, content: string, more = '') =>
  `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${content}\r\n`;

export const endpointAttacks: readonly Row[] = [
  {
    name: 'JSON with __proto__',
    tries: 'a property that every object of the server then has',
    answered: '400',
    bytes: json(`{"__proto__":{"polluted":"${MARK}"}}`),
    status: 400,
  },
  {
    name: 'JSON with constructor.prototype',
    tries: 'the same by another way',
    answered: 'it is data, and merged into nothing',
    bytes: json(`{"constructor":{"prototype":{"polluted":"${MARK}"}}}`),
    status: 200,
  },
  {
    name: 'JSON with one member twice',
    tries: 'that a check reads the first and the handler the second',
    answered: '400',
    bytes: json(`{"q":"a","q":"${MARK}"}`),
    status: 400,
  },
  {
    name: 'JSON nested 500 levels deep',
    tries: 'the stack',
    answered: '400',
    bytes: json('['.repeat(500) + ']'.repeat(500)),
    status: 400,
  },
  {
    name: 'a request in the body of a PUT',
    tries: 'that it is answered as the next one',
    answered: 'the body, read to its end',
    bytes: sent('PUT /api', hidden),
    status: 200,
  },
  {
    name: 'a request in a body that is not taken (405)',
    tries: 'that what is not read is taken for the next request',
    answered: '405; the body is dropped',
    bytes: sent('PATCH /api', hidden),
    status: 405,
  },
  {
    name: 'a request in a body of another type (415)',
    tries: 'the same',
    answered: '415; the body is dropped',
    bytes: sent('POST /api', hidden, 'Content-Type: text/plain'),
    status: 415,
  },
  {
    name: 'a request in a body from another site (403)',
    tries: "the same, and to act in a visitor's name",
    answered: '403; the body is dropped',
    bytes: sent(
      'POST /own',
      hidden,
      'Content-Type: application/json',
      `Origin: https://${MARK}`,
      'Cookie: session=x',
    ),
    status: 403,
  },
  {
    name: 'a form of another site that a browser sends without asking',
    tries: "a change in a visitor's name (CSRF)",
    answered: '403',
    bytes: sent(
      'POST /own',
      'a=1',
      'Content-Type: application/x-www-form-urlencoded',
      'Sec-Fetch-Site: cross-site',
    ),
    status: 403,
  },
  {
    name: 'a preflight from another site',
    tries: 'that a script of that site may ask with cookies',
    answered: '204 without any grant',
    bytes: () =>
      lines('OPTIONS /own HTTP/1.1', host, `Origin: https://${MARK}`, 'Access-Control-Request-Method: POST'),
    status: 204,
  },
  {
    name: 'a preflight whose header names end a line',
    tries: 'a header of their own in the answer',
    answered: '400: no header holds that',
    bytes: () =>
      lines(
        'OPTIONS /api HTTP/1.1',
        host,
        'Origin: https://a.test',
        'Access-Control-Request-Method: PUT',
        `Access-Control-Request-Headers: x\rset-cookie: ${MARK}`,
      ),
    status: 400,
  },
  {
    name: 'X-HTTP-Method-Override: DELETE',
    tries: 'a change by a request that looks harmless',
    answered: 'what the method says: 405',
    bytes: () => lines('GET /api HTTP/1.1', host, 'X-HTTP-Method-Override: DELETE'),
    status: 405,
  },
  {
    name: 'an upload named ../../x',
    tries: 'a file elsewhere',
    answered: 'the name is told to the handler without its path, and is part of none',
    bytes: form(`${part('file', 'x', `; filename="../../${MARK}"`)}--b--\r\n`),
    status: 200,
  },
  {
    name: 'an upload with a field called __proto__',
    tries: 'a property that every object of the server then has',
    answered: 'the field is not declared, and dropped',
    bytes: form(`${part('__proto__', MARK)}${part('file', 'x', '; filename="a"')}--b--\r\n`),
    status: 200,
  },
  {
    name: 'an upload with 1,000 parts',
    tries: 'memory and time',
    answered: '413',
    bytes: form(`${part('f', '').repeat(1000)}--b--\r\n`),
    status: 413,
  },
  {
    name: 'an upload without an end',
    tries: 'that half of a file is taken for one',
    answered: '400',
    bytes: form(part('file', 'half', '; filename="a"')),
    status: 400,
  },
];
