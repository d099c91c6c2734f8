// The ways in which one visitor's request has been made to change what the next one gets: unkeyed input, other
// readings of one request, requests inside requests. Each row is bytes on a connection. attacks.test.ts sends them to
// the built server, before and after the page is cached, and then asks for the page as everybody does.
//
// `name`, `tries` and `answered` are also the rows of a table in the documentation.

import { endpointAttacks } from './matrix-endpoints.ts';
import { HOST, MARK, type Target } from './matrix-site.ts';

export interface Attack {
  readonly group: string;
  readonly name: string;
  readonly tries: string;
  readonly answered: string;
  readonly bytes: (target: Target) => string;
  /** Of the first answer. */
  readonly status: number;
  /** Where it is that of HEAD. */
  readonly isHead?: true;
}

const lines = (...each: readonly string[]) => `${each.join('\r\n')}\r\n\r\n`;
const host = `Host: ${HOST}`;
/** A request that hides in another: whoever is given its answer has been tricked. */
const hidden = lines(`GET /echo/666?q=${MARK} HTTP/1.1`, host);
/** Behind a body that ends where the reader believes it to. */
const hiddenBehindChunks = `0\r\n\r\n${hidden}`;

type Row = Omit<Attack, 'group'>;

const get =
  (...headers: readonly string[]) =>
  ({ path }: Target): string =>
    lines(`GET ${path} HTTP/1.1`, host, ...headers);

const getTarget =
  (target: (page: Target) => string) =>
  (page: Target): string =>
    lines(`GET ${target(page)} HTTP/1.1`, host);

const query = (text: string) => getTarget(({ path }) => `${path}?${text}`);

const unkeyedHeader = (header: string, tries: string): Row => ({
  name: header,
  tries,
  answered: 'the page: no page is given a header that it did not declare in vary',
  bytes: get(header),
  status: 200,
});

const unkeyedHeaders: readonly Row[] = [
  unkeyedHeader(`X-Forwarded-Host: ${MARK}`, 'absolute links, imports and redirects to a host of his own'),
  unkeyedHeader(
    `X-Forwarded-Host: ${HOST}\r\nX-Forwarded-Host: ${MARK}`,
    'the same, past whoever checks the first',
  ),
  unkeyedHeader(`X-Host: ${MARK}`, 'the same by an old name'),
  unkeyedHeader(`X-Forwarded-Server: ${MARK}`, 'the same'),
  unkeyedHeader(`X-HTTP-Host-Override: ${MARK}`, 'the same'),
  unkeyedHeader(`Forwarded: host=${MARK};proto=http`, 'the same by the standard name'),
  unkeyedHeader(`X-Original-URL: /echo/666?q=${MARK}`, 'another page under this address'),
  unkeyedHeader(`X-Rewrite-URL: /echo/666?q=${MARK}`, 'another page under this address'),
  unkeyedHeader('X-Forwarded-Proto: http', 'a redirect to https that never ends'),
  unkeyedHeader('X-Forwarded-Scheme: nothttps', 'a redirect to https that never ends'),
  unkeyedHeader('X-Forwarded-SSL: off\r\nFront-End-Https: off', 'a redirect to https that never ends'),
  unkeyedHeader('X-Forwarded-Port: 1', 'links to a port where nobody listens'),
  unkeyedHeader(`X-Forwarded-Prefix: //${MARK}`, 'links that lead elsewhere'),
  unkeyedHeader(`X-Forwarded-For: ${MARK}`, 'an address that is shown or logged as markup'),
  unkeyedHeader(`True-Client-IP: ${MARK}\r\nX-Real-IP: ${MARK}\r\nCF-Connecting-IP: ${MARK}`, 'the same'),
  unkeyedHeader(`User-Agent: ${MARK}\r\nReferer: http://${MARK}/\r\nOrigin: http://${MARK}`, 'reflection'),
  unkeyedHeader(`Accept-Language: ${MARK}\r\nAccept: application/json`, 'another language or type for all'),
  unkeyedHeader(`Cookie: session=${MARK}; lang=${MARK}`, 'a page made for his session'),
  unkeyedHeader(`Authorization: Bearer ${MARK}`, 'a page made for his account'),
  unkeyedHeader('Cache-Control: no-store, no-cache\r\nPragma: no-cache', 'a render for each request'),
  unkeyedHeader(`X-Coherent-Token: ${MARK}\r\nCache-Control: no-cache`, 'what an operator may ask for'),
  unkeyedHeader(
    'X-Coherent-Internal: 1\r\nX-Middleware-Subrequest: 1',
    'to be taken for one of us (CVE-2025-29927)',
  ),
  unkeyedHeader('X-Now-Route-Matches: 1', 'a page stored that must not be (CVE-2024-46982)'),
  unkeyedHeader(
    'Purpose: prefetch\r\nSec-Purpose: prefetch\r\nX-Nextjs-Data: 1',
    'data in the place of the page',
  ),
  unkeyedHeader(
    `X-Request-Id: ${MARK}\r\nTraceparent: 00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    'a name of his choice in the log and in the answer',
  ),
  unkeyedHeader('X-No-Compression: 1', 'a page that is sent uncompressed to all'),
];

const parameters: readonly Row[] = [
  {
    name: `an undeclared parameter (?utm_content=${MARK})`,
    tries: 'a canonical link or form that repeats the address',
    answered: 'the page: what it did not declare is dropped unread, and the address is not shown',
    bytes: query(`utm_content=%22%3E%3Cscript%3E${MARK}`),
    status: 200,
  },
  {
    name: 'a declared parameter twice',
    tries: 'that key and page each believe another of the two',
    answered: '400',
    bytes: query(`q=a&q=${MARK}`),
    status: 400,
  },
  {
    name: 'a declared parameter twice, its name encoded once',
    tries: 'the same, past whoever compares names as they come',
    answered: '400',
    bytes: query(`q=a&%71=${MARK}`),
    status: 400,
  },
  {
    name: 'a declared parameter behind ;',
    tries: 'that one reader separates by ; and another does not (parameter cloaking)',
    answered: 'the page: only & separates',
    bytes: query(`utm_source=a;q=${MARK}`),
    status: 200,
  },
  {
    name: 'a declared parameter behind an encoded &',
    tries: 'that it is decoded before it is split',
    answered: 'the page: it is split first and decoded once',
    bytes: query(`utm_source=a%26q=${MARK}`),
    status: 200,
  },
  {
    name: 'a declared parameter behind a second ?',
    tries: 'that one reader begins the query at the last ?',
    answered: 'the page: the query begins at the first',
    bytes: query(`utm_source=a?q=${MARK}`),
    status: 200,
  },
  {
    name: 'brackets (?q[]=, ?q[x]=)',
    tries: 'a list or an object where a text is expected',
    answered: 'the page: brackets are part of a name that nobody declared',
    bytes: query(`q[]=${MARK}&q[x]=${MARK}`),
    status: 200,
  },
  {
    name: '__proto__, constructor and prototype',
    tries: 'a property on every object (prototype pollution)',
    answered: 'the page: names that nobody declared',
    bytes: query(
      `__proto__[q]=${MARK}&__proto__=${MARK}&constructor[prototype][q]=${MARK}&__proto__.q=${MARK}`,
    ),
    status: 200,
  },
  {
    name: 'a parameter that begins like data of the page (/?/_payload.json)',
    tries: 'another representation under an address that caches in front do not tell apart (CVE-2025-27415)',
    answered: 'the page: the route is chosen by the path alone',
    bytes: query('/_payload.json'),
    status: 200,
  },
  {
    name: 'a method in the query (?_method=DELETE)',
    tries: 'another method',
    answered: 'the page',
    bytes: query('_method=DELETE'),
    status: 200,
  },
];

const bodies: readonly Row[] = [
  {
    name: 'a form in the body of a GET',
    tries: 'a parameter that is not in the key (fat GET)',
    answered: 'the page: bodies are dropped unread',
    bytes: ({ path }) => {
      const form = `q=${MARK}`;
      const type = 'Content-Type: application/x-www-form-urlencoded';
      return `${lines(`GET ${path} HTTP/1.1`, host, type, `Content-Length: ${form.length}`)}${form}`;
    },
    status: 200,
  },
  {
    name: 'a form in the body of a GET, in chunks',
    tries: 'the same',
    answered: 'the page',
    bytes: ({ path }) =>
      `${lines(`GET ${path} HTTP/1.1`, host, 'Transfer-Encoding: chunked')}e\r\nq=${MARK}\r\n0\r\n\r\n`,
    status: 200,
  },
  {
    name: 'X-HTTP-Method-Override: POST with a body',
    tries: 'another method under the key of GET',
    answered: 'the page: the method is that of the first line',
    bytes: get('X-HTTP-Method-Override: POST', 'X-HTTP-Method: DELETE', 'X-Method-Override: HEAD'),
    status: 200,
  },
  {
    name: 'POST with X-HTTP-Method-Override: GET',
    tries: 'to fill the cache with the answer to a POST',
    answered: '405',
    bytes: ({ path }) =>
      `${lines(`POST ${path} HTTP/1.1`, host, 'X-HTTP-Method-Override: GET', 'Content-Length: 3')}q=1`,
    status: 405,
  },
  {
    name: 'PURGE',
    tries: 'to empty the cache',
    answered: '405: purges are for the operations port',
    bytes: ({ path }) => lines(`PURGE ${path} HTTP/1.1`, host),
    status: 405,
  },
  {
    name: 'TRACE',
    tries: 'to have headers shown in an answer',
    answered: '405',
    bytes: ({ path }) => lines(`TRACE ${path} HTTP/1.1`, host, `X-Mark: ${MARK}`),
    status: 405,
  },
  {
    name: 'HEAD',
    tries: 'an empty page under the key of GET',
    answered: 'the head of the page; a GET after it gets the body',
    bytes: ({ path }) => lines(`HEAD ${path} HTTP/1.1`, host),
    status: 200,
    isHead: true,
  },
  {
    name: 'OPTIONS',
    tries: 'an empty answer under the key of GET',
    answered: '204, never kept',
    bytes: ({ path }) => lines(`OPTIONS ${path} HTTP/1.1`, host),
    status: 204,
  },
];

const splitting: readonly Row[] = [
  {
    name: 'CR and LF in a parameter',
    tries: 'a header of his own in the answer (response splitting)',
    answered: 'a page under its own key that shows the text',
    bytes: query(`q=%0d%0aSet-Cookie:%20a=1%0d%0a%0d%0a`),
    status: 200,
  },
  {
    name: 'CR and LF in the path of a page that redirects',
    tries: 'a header of his own in the redirect',
    answered: '400',
    bytes: getTarget(() => `/go/a%0d%0aSet-Cookie:%20a=1`),
    status: 400,
  },
  {
    name: 'CR and LF in what a page redirects to',
    tries: 'the same by a parameter',
    answered: 'a redirect in which they are encoded',
    bytes: getTarget(() => `/go/a?to=%0d%0aSet-Cookie:%20a=1`),
    status: 307,
  },
  {
    name: 'another site in what a page redirects to',
    tries: 'that // or /\\ leads to another host',
    answered: '500, kept by nobody: the page tried what it must not',
    bytes: getTarget(() => `/go/a?to=/%5c${MARK}`),
    status: 500,
  },
  {
    name: 'another site in what a page redirects to, once it is normalised',
    tries: 'that /.// is checked as it stands and sent as //',
    answered: '500, kept by nobody: the page tried what it must not',
    bytes: getTarget(() => `/go/a?to=/.//${MARK}`),
    status: 500,
  },
  {
    name: 'a bare LF in a header',
    tries: 'two headers where another reader sees one',
    answered: '400 and the end of the connection',
    bytes: ({ path }) => `GET ${path} HTTP/1.1\r\n${host}\r\nX: a\nX-Forwarded-Host: ${MARK}\rX: b\r\n\r\n`,
    status: 400,
  },
  {
    name: 'a control character in a header',
    tries: 'an error that is kept for all (CPDoS by meta characters)',
    answered: '400, kept by nobody',
    bytes: get('X-Meta: a\u0007b'),
    status: 400,
  },
  {
    name: 'a NUL in a header',
    tries: 'the same',
    answered: '400, kept by nobody',
    bytes: get('X-Meta: a\0b'),
    status: 400,
  },
  {
    name: '20 KB of headers',
    tries: 'an error that is kept for all (CPDoS by oversize)',
    answered: '431, kept by nobody',
    bytes: get(`X-Oversize: ${'a'.repeat(20_000)}`),
    status: 431,
  },
  {
    name: '150 headers',
    tries: 'that one is dropped unseen',
    answered: '431, kept by nobody',
    bytes: get(...Array.from({ length: 150 }, (_, at) => `X-${at}: a`)),
    status: 431,
  },
  {
    name: 'an unknown expectation',
    tries: 'an error that is kept for all',
    answered: '417, kept by nobody',
    bytes: get('Expect: 200-maybe'),
    status: 417,
  },
];

const smuggling: readonly Row[] = [
  {
    name: 'Content-Length and Transfer-Encoding',
    tries: 'a request inside the body, for whoever reads the other length (CL.TE)',
    answered: '400 and the end of the connection',
    bytes: ({ path }) =>
      `${lines(`GET ${path} HTTP/1.1`, host, `Content-Length: ${hiddenBehindChunks.length}`, 'Transfer-Encoding: chunked')}${hiddenBehindChunks}`,
    status: 400,
  },
  {
    name: 'Transfer-Encoding and Content-Length',
    tries: 'the same the other way (TE.CL)',
    answered: '400 and the end of the connection',
    bytes: ({ path }) =>
      `${lines(`POST ${path} HTTP/1.1`, host, 'Transfer-Encoding: chunked', 'Content-Length: 4')}${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`,
    status: 400,
  },
  ...[
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: identity',
    'Transfer-Encoding : chunked',
    'Transfer-Encoding:\tchunked\r\nTransfer-Encoding: x',
    'X: a\r\n Transfer-Encoding: chunked',
    'Transfer-Encoding: "chunked"',
    'Transfer-Encoding: chunked\u000b',
  ].map(
    (header): Row => ({
      name: JSON.stringify(header).slice(1, -1),
      tries: 'that one reader sees chunks and another does not (TE.TE)',
      answered: '400 and the end of the connection',
      bytes: ({ path }) => `${lines(`POST ${path} HTTP/1.1`, host, header)}${hiddenBehindChunks}`,
      status: 400,
    }),
  ),
  ...['5\r\nContent-Length: 6', '+5', '-1', '5, 5', '0x5', '5 5', '5a', '99999999999999999999'].map(
    (length): Row => ({
      name: `Content-Length: ${JSON.stringify(length).slice(1, -1)}`,
      tries: 'two readings of how long a body is',
      answered: '400 and the end of the connection',
      bytes: ({ path }) => `${lines(`POST ${path} HTTP/1.1`, host, `Content-Length: ${length}`)}${hidden}`,
      status: 400,
    }),
  ),
  {
    name: 'a request in the body of a POST that is refused',
    tries: 'that the body is left lying and read as the next request (CL.0)',
    answered: '405; the body is read and dropped',
    bytes: ({ path }) =>
      `${lines(`POST ${path} HTTP/1.1`, host, `Content-Length: ${hidden.length}`)}${hidden}`,
    status: 405,
  },
  {
    name: 'chunks that are none',
    tries: 'two answers to one request: that of the page and that of the mistake',
    answered: '400 and the end of the connection',
    bytes: ({ path }) =>
      `${lines(`GET ${path} HTTP/1.1`, host, 'Transfer-Encoding: chunked')}zz\r\n${hidden}`,
    status: 400,
  },
  {
    name: 'chunks with extensions',
    tries: 'that a reader ends the size elsewhere',
    answered: 'the page: extensions are read and dropped',
    bytes: ({ path }) =>
      `${lines(`GET ${path} HTTP/1.1`, host, 'Transfer-Encoding: chunked')}3;a="b;\t"\r\nabc\r\n0;x=y\r\n\r\n`,
    status: 200,
  },
  {
    name: 'trailers with a name of a header',
    tries: 'a header past whoever checked the head',
    answered: 'the page: trailers are read and dropped',
    bytes: ({ path }) =>
      `${lines(`GET ${path} HTTP/1.1`, host, 'Transfer-Encoding: chunked', 'Trailer: Host')}0\r\nHost: ${MARK}\r\n\r\n`,
    status: 200,
  },
  {
    name: 'an upgrade to h2c',
    tries: 'a tunnel past a proxy that checks requests',
    answered: 'the page: nothing is upgraded',
    bytes: get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'),
    status: 200,
  },
  {
    name: 'headers named in Connection',
    tries: 'that a proxy strips what is part of the key',
    answered: 'the page',
    bytes: get('Connection: keep-alive, Host, Accept-Encoding'),
    status: 200,
  },
];

const paths: readonly Row[] = [
  ...(
    [
      ['/x.css', 404],
      ['/..%2fx.css', 400],
      ['%2ecss', 404],
      ['.css', 404],
      [';x.css', 404],
      ['%3b.css', 404],
      ['%00.css', 400],
      ['%0a.css', 400],
      ['%3fx.css', 404],
      ['%23x.css', 404],
      ['%2fx.css', 400],
      ['%252fx.css', 404],
    ] as const
  ).map(
    ([suffix, status]): Row => ({
      name: `${suffix} behind the address`,
      tries: 'that a cache in front keeps the page as a file (cache deception)',
      answered: `${status}: another address, where this page is not`,
      bytes: getTarget(({ path }) => `${path}${suffix}`),
      status,
    }),
  ),
  ...(
    [
      ['an encoded slash', ({ id }: Target) => `/echo%2f${id}`, 400],
      ['an encoded backslash', ({ id }: Target) => `/echo%5c${id}`, 400],
      ['a backslash', ({ id }: Target) => `/echo\\${id}`, 400],
      ['a slash encoded twice', ({ id }: Target) => `/echo%252f${id}`, 404],
      ['encoded dots', ({ path }: Target) => `/a/%2e%2e${path}`, 400],
      ['dots', ({ path }: Target) => `/a/..${path}`, 308],
      ['two slashes', ({ path }: Target) => `/${path}`, 308],
      ['a slash at the end', ({ path }: Target) => `${path}/`, 308],
      ['an encoded digit', ({ path }: Target) => path.replace('/1', '/%31'), 200],
      ['capital letters', ({ path }: Target) => path.toUpperCase(), 404],
      ['a fragment', ({ path }: Target) => `${path}#${MARK}`, 400],
      ['overlong UTF-8', ({ path }: Target) => `${path}%c0%af`, 400],
    ] as const
  ).map(
    ([name, target, status]): Row => ({
      name: `${name} in the address`,
      tries: 'that router and cache read two different addresses',
      answered:
        status === 308
          ? '308 to the one spelling'
          : status === 200
            ? 'the page, of the same key'
            : String(status),
      bytes: getTarget(target),
      status,
    }),
  ),
];

const hosts: readonly Row[] = [
  {
    name: `Host: ${MARK}`,
    tries: 'links to his host, or a second entry that he controls',
    answered: '421, kept by nobody; also where the page is known to the fast path',
    bytes: ({ path }) => lines(`GET ${path} HTTP/1.1`, `Host: ${MARK}`),
    status: 421,
  },
  {
    name: 'an allowed Host behind his',
    tries: 'that one reader takes the first and another the second',
    answered: '400',
    bytes: ({ path }) => lines(`GET ${path} HTTP/1.1`, `Host: ${MARK}`, host),
    status: 400,
  },
  {
    name: 'his Host behind an allowed one',
    tries: 'the same',
    answered: '400',
    bytes: ({ path }) => lines(`GET ${path} HTTP/1.1`, host, `Host: ${MARK}`),
    status: 400,
  },
  {
    name: 'a Host with a user',
    tries: 'a link in which the allowed host is the user',
    answered: '400',
    bytes: ({ path }) => lines(`GET ${path} HTTP/1.1`, `Host: ${HOST}@${MARK}`),
    status: 400,
  },
  {
    name: 'a Host with markup',
    tries: 'script in a page that shows its host',
    answered: '400',
    bytes: ({ path }) => lines(`GET ${path} HTTP/1.1`, `Host: ${HOST}"><script>`),
    status: 400,
  },
  {
    name: 'a Host that begins like an allowed one',
    tries: 'that names are compared by their beginning',
    answered: '421',
    bytes: ({ path }) => lines(`GET ${path} HTTP/1.1`, `Host: ${HOST}.${MARK}`),
    status: 421,
  },
  {
    name: 'a Host with a port',
    tries: 'links to a port where nobody listens',
    answered: 'the page: the host is in no page and no key',
    bytes: ({ path }) => lines(`GET ${path} HTTP/1.1`, `Host: ${HOST}:1337`),
    status: 200,
  },
  {
    name: 'a Host in capitals with a dot at the end',
    tries: 'an entry of its own, or a way past the list',
    answered: 'the page, of the same key',
    bytes: ({ path }) => lines(`GET ${path} HTTP/1.1`, `Host: ${HOST.toUpperCase()}.`),
    status: 200,
  },
  {
    name: 'no Host',
    tries: 'an error that is kept for all',
    answered: '400',
    bytes: ({ path }) => lines(`GET ${path} HTTP/1.1`),
    status: 400,
  },
  {
    name: 'no Host, in HTTP/1.0',
    tries: 'a way past the list of hosts',
    answered: '421',
    bytes: ({ path }) => lines(`GET ${path} HTTP/1.0`),
    status: 421,
  },
  {
    name: 'a target with another host than Host',
    tries: 'that key and page believe different ones (absolute form)',
    answered: '400',
    bytes: ({ path }) => lines(`GET http://${MARK}${path} HTTP/1.1`, host),
    status: 400,
  },
  {
    name: 'target and Host with his host',
    tries: 'the same',
    answered: '421',
    bytes: ({ path }) => lines(`GET http://${MARK}${path} HTTP/1.1`, `Host: ${MARK}`),
    status: 421,
  },
  {
    name: 'a target with our host',
    tries: 'a second entry for one page',
    answered: 'the page, of the same key',
    bytes: ({ path }) => lines(`GET http://${HOST}${path} HTTP/1.1`, host),
    status: 200,
  },
  {
    name: 'a target with a user',
    tries: 'that the host is read behind the @',
    answered: '400',
    bytes: ({ path }) => lines(`GET http://${HOST}@${MARK}${path} HTTP/1.1`, host),
    status: 400,
  },
];

const representations: readonly Row[] = [
  {
    name: 'Range: bytes=0-9',
    tries: 'a piece under the key of the page',
    answered: 'the whole page: pages have no ranges',
    bytes: get('Range: bytes=0-9', 'If-Range: "x"'),
    status: 200,
  },
  {
    name: 'Range with 1000 pieces',
    tries: 'an answer much larger than the page',
    answered: 'the whole page',
    bytes: get(`Range: bytes=${Array.from({ length: 1000 }, () => '0-').join(',')}`),
    status: 200,
  },
  {
    name: `Accept-Encoding: ${MARK}`,
    tries: 'an encoding that others cannot read',
    answered: 'the page, uncompressed',
    bytes: get(`Accept-Encoding: ${MARK}, zstd, identity;q=0`),
    status: 200,
  },
  {
    name: 'Accept-Encoding: br',
    tries: 'a compressed page for those who cannot read it',
    answered: 'the page in that encoding, with a tag of its own and Vary',
    bytes: get('Accept-Encoding: br'),
    status: 200,
  },
  {
    name: 'If-None-Match: *',
    tries: 'an empty 304 under the key of the page',
    answered: '304; a GET after it gets the body',
    bytes: get('If-None-Match: *'),
    status: 304,
  },
  {
    name: 'If-None-Match with 500 tags',
    tries: 'work: each is compared',
    answered: 'the page',
    bytes: get(`If-None-Match: ${Array.from({ length: 500 }, (_, at) => `"${at}"`).join(', ')}`),
    status: 200,
  },
  {
    name: 'If-Match, If-Modified-Since, If-Unmodified-Since',
    tries: 'a 412 or 304 that is kept for all',
    answered: 'the page: pages have tags, not dates',
    bytes: get('If-Match: "x"', 'If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT', 'If-Unmodified-Since: 0'),
    status: 200,
  },
  {
    name: 'Vary in the request',
    tries: 'an entry for each of his values',
    answered: 'the page, of the same key',
    bytes: get('Vary: X-Evil', `X-Evil: ${MARK}`),
    status: 200,
  },
];

const grouped = (group: string, rows: readonly Row[]): Attack[] => rows.map((row) => ({ group, ...row }));

export const ATTACKS: readonly Attack[] = [
  ...grouped('a header that is not in the key', unkeyedHeaders),
  ...grouped('a parameter', parameters),
  ...grouped('a method or a body', bodies),
  ...grouped('response splitting, and errors to be kept', splitting),
  ...grouped('a request inside a request', smuggling),
  ...grouped('an address', paths),
  ...grouped('a host', hosts),
  ...grouped('a representation', representations),
  ...grouped('an endpoint, an upload, another site', endpointAttacks),
];
