// HTTP/1.1 by the book: what RFC 9110 and RFC 9112 ask of a server, as bytes. Written from the RFCs' text; the section
// stands first, what it asks in our words second. Both servers are held to it by http11.test.ts.
//
// `/page` answers GET. `/form` takes a POST of a form, and answers 303.

export interface Case {
  /** RFC 9112 unless it says 9110. */
  readonly section: string;
  readonly asks: string;
  readonly bytes: string;
  /** The statuses that are right. */
  readonly status: readonly number[];
  /** Whether the connection serves the next request after it, or ends with this answer. */
  readonly then: 'next' | 'end';
  readonly isHead?: boolean;
}

const HOST = 'Host: localhost\r\n';
const FORM = 'Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n';
const BODY = 'a=b';
const REFUSED = [400];

const raw = (line: string, headers = HOST, body = '') => `${line}\r\n${headers}\r\n${body}`;
const get = (headers = '') => raw('GET /page HTTP/1.1', HOST + headers);
const post = (headers: string, body: string) => raw('POST /form HTTP/1.1', HOST + FORM + headers, body);
const length = (value: string | number, body = BODY) => post(`Content-Length: ${value}\r\n`, body);
const chunked = (chunks: string, coding = 'chunked') => post(`Transfer-Encoding: ${coding}\r\n`, chunks);
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';

type Row = readonly [asks: string, bytes: string, status?: readonly number[]];

const all = (
  section: string,
  then: Case['then'],
  status: readonly number[],
  rows: readonly Row[],
): readonly Case[] =>
  rows.map(([asks, bytes, own]) => ({ section, asks, bytes, status: own ?? status, then }));

const OK = [200];
const SEE_OTHER = [303];

export const CASES: readonly Case[] = [
  ...all('2.2', 'next', OK, [
    ['an empty line before the request line is ignored', `\r\n${get()}`],
    ['two empty lines before the request line are ignored', `\r\n\r\n${get()}`],
  ]),
  ...all('2.2', 'end', REFUSED, [
    ['a bare CR ends no line', `GET /page HTTP/1.1\rHost: localhost\r\r`],
    ['a bare CR in a header is no part of it', get('X: a\rb\r\n')],
    ['a space before the first header is no header', raw('GET /page HTTP/1.1', ` ${HOST}`)],
    ['a tab before the first header is no header', raw('GET /page HTTP/1.1', `\t${HOST}`)],
    ['bytes that are no request are refused', '\x00\x01\x02\xff\xfe\r\n\r\n'],
    ['the preface of HTTP/2 is no HTTP/1.1', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a TLS hello is no HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ]),
  ...all(
    '2.3',
    'end',
    [400, 505],
    [
      ['a version without a minor digit is none', raw('GET /page HTTP/1')],
      ['leading zeros are no version', raw('GET /page HTTP/01.01')],
      ['a space in the version is none', raw('GET /page HTTP/ 1.1')],
      ['the name of the protocol is written in capitals', raw('GET /page http/1.1')],
      ['another protocol is not spoken', raw('GET /page FTP/1.1')],
      ['HTTP/0.9 is not spoken', 'GET /page\r\n\r\n'],
      ['HTTP/2.0 is not spoken in this framing', raw('GET /page HTTP/2.0')],
      ['HTTP/3.0 is not spoken in this framing', raw('GET /page HTTP/3.0')],
      ['letters are no version', raw('GET /page HTTP/a.b')],
      ['a version of two digits is none', raw('GET /page HTTP/1.10')],
      ['nothing stands behind the version', raw('GET /page HTTP/1.1 x')],
    ],
  ),
  ...all('3', 'end', REFUSED, [
    ['a target cannot be left out', raw('GET  HTTP/1.1')],
    ['a request line has a method', raw(' /page HTTP/1.1')],
    ['a method is a token', raw('G@T /page HTTP/1.1')],
    ['a method has no colon', raw('GET: /page HTTP/1.1')],
    ['methods are compared with their case', raw('get /page HTTP/1.1')],
    ['parts of the line are parted by one space, not by a tab', raw('GET\t/page\tHTTP/1.1')],
    ['white space is no part of a target', raw('GET /pa ge HTTP/1.1')],
    ['a target without a slash is none', raw('GET page HTTP/1.1')],
    ['a backslash is no part of a target', raw('GET \\page HTTP/1.1')],
    ['a NUL is no part of a target', raw('GET /pa\0ge HTTP/1.1')],
    ['an unknown method is refused', raw('BREW /page HTTP/1.1'), [400, 405, 501]],
  ]),
  ...all(
    '3',
    'next',
    [405],
    [
      ['PUT is told what is allowed', raw('PUT /page HTTP/1.1', `${HOST}Content-Length: 0\r\n`)],
      ['DELETE is told what is allowed', raw('DELETE /page HTTP/1.1')],
      ['PATCH is told what is allowed', raw('PATCH /page HTTP/1.1', `${HOST}Content-Length: 0\r\n`)],
      ['TRACE echoes nothing', raw('TRACE /page HTTP/1.1', `${HOST}Cookie: secret=1\r\n`)],
      [
        'POST where no form is taken is told what is allowed',
        raw('POST /page HTTP/1.1', `${HOST}Content-Length: 0\r\n`),
      ],
    ],
  ),
  ...all('3.2', 'end', REFUSED, [['no Host is refused', raw('GET /page HTTP/1.1', '')]]),
  ...all('3.2', 'next', REFUSED, [
    ['two Hosts are refused', raw('GET /page HTTP/1.1', `${HOST}Host: other\r\n`)],
    ['two equal Hosts are refused', raw('GET /page HTTP/1.1', HOST + HOST)],
    ['an empty Host names nothing', raw('GET /page HTTP/1.1', 'Host:\r\n')],
    ['a Host with a user is none', raw('GET /page HTTP/1.1', 'Host: me@localhost\r\n')],
    ['a Host with a path is none', raw('GET /page HTTP/1.1', 'Host: localhost/x\r\n')],
    ['a list is no Host', raw('GET /page HTTP/1.1', 'Host: localhost, other\r\n')],
    ['a Host with a space is none', raw('GET /page HTTP/1.1', 'Host: local host\r\n')],
    ['a Host with a query is none', raw('GET /page HTTP/1.1', 'Host: localhost?x\r\n')],
    ['a port has digits', raw('GET /page HTTP/1.1', 'Host: localhost:x\r\n')],
    ['a fragment is no part of a target', raw('GET /page#part HTTP/1.1')],
    ['the asterisk is for OPTIONS', raw('GET * HTTP/1.1')],
  ]),
  ...all('3.2', 'next', OK, [
    ['a Host with a port is one', raw('GET /page HTTP/1.1', 'Host: localhost:8080\r\n')],
    ['an IPv6 address is a Host', raw('GET /page HTTP/1.1', 'Host: [::1]:8080\r\n')],
    ['the name of Host is compared without its case', raw('GET /page HTTP/1.1', 'HOST: localhost\r\n')],
    ['a query belongs to the target', raw('GET /page?a=b&c HTTP/1.1')],
  ]),
  ...all(
    '3.2.3',
    'end',
    [400, 405, 501],
    [['CONNECT opens no tunnel', raw('CONNECT localhost:443 HTTP/1.1', 'Host: localhost:443\r\n')]],
  ),
  ...all('5', 'end', REFUSED, [
    ['a header without a colon is none', get('Nothing\r\n')],
    ['a header has a name', get(': x\r\n')],
    ['a name is a token: no brackets', get('X[1]: y\r\n')],
    ['a name is a token: no space inside', get('X y: z\r\n')],
    ['a name is a token: no tab inside', get('X\ty: z\r\n')],
    ['a name is a token: no control character', get('X\x01: y\r\n')],
    ['a name is a token: no byte beyond ASCII', get('X\xe9: y\r\n')],
    ['no space stands between name and colon (5.1)', get('X : y\r\n')],
    ['no tab stands between name and colon (5.1)', get('X\t: y\r\n')],
    ['a folded line is refused (5.2)', get('X: a\r\n b\r\n')],
    ['a line folded with a tab is refused (5.2)', get('X: a\r\n\tb\r\n')],
    ['a NUL in a value is refused (9110, 5.5)', get('X: a\0b\r\n')],
    ['a vertical tab in a value is refused (9110, 5.5)', get('X: a\x0bb\r\n')],
    ['an escape in a value is refused (9110, 5.5)', get('X: a\x1bb\r\n')],
    ['a DEL in a value is refused (9110, 5.5)', get('X: a\x7fb\r\n')],
  ]),
  ...all('5', 'next', OK, [
    ['a value may be empty', get('X:\r\n')],
    ['white space around a value is no part of it', get('X: \t a \t \r\n')],
    ['a tab may stand in a value', get('X: a\tb\r\n')],
    ['bytes beyond ASCII may stand in a value', get('X: \xe9\xff\r\n')],
    ['a header that is not known is ignored', get('X-Unknown: 1\r\n')],
    ['a header may come twice', get('X: 1\r\nX: 2\r\n')],
    ['an odd cookie is no failure', get('Cookie: ===;;;\r\n')],
    ['Content_Length is another name', get('Content_Length: 100\r\n')],
    ['Transfer_Encoding is another name', get('Transfer_Encoding: chunked\r\n')],
  ]),
  ...all(
    '6.1',
    'end',
    [400, 501],
    [
      ['a coding that is not known', chunked('', 'x-other')],
      ['a coding that only looks like chunked', chunked('', 'xchunked')],
      ['chunked must be last', chunked('', 'chunked, gzip')],
      ['chunked must not be there twice', chunked('0\r\n\r\n', 'chunked, chunked')],
      ['another coding before chunked is not known', chunked('0\r\n\r\n', 'gzip, chunked')],
      ['identity is no coding any more', chunked('', 'identity')],
      ['an empty coding is none', chunked('', '')],
      ['chunked in quotes is not chunked', chunked('0\r\n\r\n', '"chunked"')],
      ['chunked has no parameters', chunked('0\r\n\r\n', 'chunked;a=b')],
      ['a vertical tab hides no coding', chunked('0\r\n\r\n', '\x0bchunked')],
      ['a form feed hides no coding', chunked('0\r\n\r\n', '\x0cchunked')],
      ['a NUL hides no coding', chunked('0\r\n\r\n', 'chunked\0')],
      ['a folded coding is refused', chunked('0\r\n\r\n', '\r\n chunked')],
      [
        'two codings in two lines',
        post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n'),
      ],
      ['a space before the colon hides no coding', post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n')],
      [
        'HTTP/1.0 knows no chunks',
        raw('POST /form HTTP/1.0', `${HOST}${FORM}Transfer-Encoding: chunked\r\n`, '0\r\n\r\n'),
      ],
      [
        'HTTP/1.0 with chunks is not kept open',
        raw(
          'POST /form HTTP/1.0',
          `${HOST}${FORM}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n`,
          '0\r\n\r\n',
        ),
      ],
    ],
  ),
  ...all('6.1', 'next', SEE_OTHER, [
    ['codings are compared without their case', chunked(`3\r\n${BODY}\r\n0\r\n\r\n`, 'Chunked')],
    [
      'the name is compared without its case',
      post('TRANSFER-ENCODING: chunked\r\n', `3\r\n${BODY}\r\n0\r\n\r\n`),
    ],
  ]),
  ...all('6.3', 'end', REFUSED, [
    [
      'both a length and chunks',
      post('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n', `3\r\n${BODY}\r\n0\r\n\r\n`),
    ],
    [
      'both chunks and a length',
      post('Transfer-Encoding: chunked\r\nContent-Length: 3\r\n', `3\r\n${BODY}\r\n0\r\n\r\n`),
    ],
    [
      'both, with a request in the body',
      post(
        `Content-Length: ${5 + SMUGGLED.length}\r\nTransfer-Encoding: chunked\r\n`,
        `0\r\n\r\n${SMUGGLED}`,
      ),
    ],
    [
      'both, and chunked in another case',
      post(
        `Content-Length: ${5 + SMUGGLED.length}\r\nTransfer-Encoding: CHUNKED\r\n`,
        `0\r\n\r\n${SMUGGLED}`,
      ),
    ],
    [
      'both, and a fold between',
      post(
        `Content-Length: ${5 + SMUGGLED.length}\r\nTransfer-Encoding:\r\n chunked\r\n`,
        `0\r\n\r\n${SMUGGLED}`,
      ),
    ],
    [
      'both, and an empty element in the list',
      post(
        `Content-Length: ${5 + SMUGGLED.length}\r\nTransfer-Encoding: , chunked\r\n`,
        `0\r\n\r\n${SMUGGLED}`,
      ),
      [400, 501],
    ],
    ['two lengths', post(`Content-Length: 3\r\nContent-Length: 5\r\n`, BODY)],
    ['two lengths, one in another spelling', post(`Content-Length: 3\r\nContent-Length: 03\r\n`, BODY)],
    ['two lengths in one line', length('3, 5')],
    ['two equal lengths in one line', length('3, 3')],
    ['a length that is no number', length('abc')],
    ['a length with a plus', length('+3')],
    ['a length with a minus', length('-3')],
    ['a length of minus zero', length('-0', '')],
    ['a length in hexadecimal', length('0x3')],
    ['a length in octal', length('0o3')],
    ['a length with an underscore', length('1_0')],
    ['a length with a space', length('1 0')],
    ['a length with a point', length('3.0')],
    ['a length with an exponent', length('3e0')],
    ['a length that is empty', length('')],
    ['a length that no machine counts to', length('99999999999999999999')],
    ['a length with a letter behind it', length('3x')],
    ['a length before a colon with a space', post('Content-Length : 3\r\n', BODY)],
    ['a length on a folded line', post('Content-Length:\r\n 3\r\n', BODY)],
  ]),
  ...all('6.3', 'next', SEE_OTHER, [
    ['a body has the length that is said', length(3)],
    ['a length may have zeros before it', length('0003')],
    ['a length may have white space around it', post(`Content-Length: \t3 \r\n`, BODY)],
    ['a form may be empty', length(0, '')],
    ['a length of two zeros is nothing', length('00', '')],
    ['without length and coding there is no body', post('', '')],
    ['the name is compared without its case', post('cOnTeNt-LeNgTh: 3\r\n', BODY)],
  ]),
  ...all('6.3', 'next', OK, [
    [
      'the body of a GET is no request',
      raw('GET /page HTTP/1.1', `${HOST}Content-Length: ${SMUGGLED.length}\r\n`, SMUGGLED),
    ],
    [
      'the body of a GET in chunks is no request',
      raw('GET /page HTTP/1.1', `${HOST}Transfer-Encoding: chunked\r\n`, `3\r\nabc\r\n0\r\n\r\n`),
    ],
  ]),
  ...all('7.1', 'next', SEE_OTHER, [
    ['a chunk', chunked(`3\r\n${BODY}\r\n0\r\n\r\n`)],
    ['several chunks', chunked(`1\r\na\r\n1\r\n=\r\n1\r\nb\r\n0\r\n\r\n`)],
    ['no chunk but the last', chunked('0\r\n\r\n')],
    ['a size in capitals', chunked(`A\r\na=bcdefghi\r\n0\r\n\r\n`)],
    ['a size in small letters', chunked(`a\r\na=bcdefghi\r\n0\r\n\r\n`)],
    ['a size with zeros before it', chunked(`0003\r\n${BODY}\r\n000\r\n\r\n`)],
    ['an extension that is not known is ignored', chunked(`3;name=value\r\n${BODY}\r\n0\r\n\r\n`)],
    ['an extension in quotes', chunked(`3;name="a b"\r\n${BODY}\r\n0\r\n\r\n`)],
    ['an extension of the last chunk', chunked(`3\r\n${BODY}\r\n0;name\r\n\r\n`)],
    ['a trailer is read', chunked(`3\r\n${BODY}\r\n0\r\nX-Sum: 1\r\n\r\n`)],
    ['a trailer changes no host (9110, 6.5.1)', chunked(`3\r\n${BODY}\r\n0\r\nHost: other\r\n\r\n`)],
    [
      'a trailer gives no rights (9110, 6.5.1)',
      chunked(`3\r\n${BODY}\r\n0\r\nAuthorization: Bearer x\r\n\r\n`),
    ],
  ]),
  ...all('7.1', 'end', REFUSED, [
    ['a size with a prefix', chunked(`0x3\r\n${BODY}\r\n0\r\n\r\n`)],
    ['a size with a plus', chunked(`+3\r\n${BODY}\r\n0\r\n\r\n`)],
    ['a size with a minus', chunked(`-3\r\n${BODY}\r\n0\r\n\r\n`)],
    ['a size with an underscore', chunked(`0_3\r\n${BODY}\r\n0\r\n\r\n`)],
    ['a size that is no number', chunked(`xyz\r\n${BODY}\r\n0\r\n\r\n`)],
    ['a size with a space before it', chunked(` 3\r\n${BODY}\r\n0\r\n\r\n`)],
    ['a size that no machine counts to', chunked(`FFFFFFFFFFFFFFFFF\r\n${BODY}\r\n0\r\n\r\n`)],
    ['a chunk that is longer than it says', chunked(`3\r\n${BODY}xx\r\n0\r\n\r\n`)],
    ['a chunk without an end', chunked(`3\r\n${BODY}0\r\n\r\n`)],
    ['a NUL in an extension', chunked(`3;a\0b\r\n${BODY}\r\n0\r\n\r\n`)],
    ['a bare CR behind a size', chunked(`3\r${BODY}\r\n0\r\n\r\n`)],
    ['a bare CR in an extension', chunked(`3;a\rb\r\n${BODY}\r\n0\r\n\r\n`)],
    ['an extension without an end', chunked(`3;${'a'.repeat(70_000)}\r\n${BODY}\r\n0\r\n\r\n`), [400, 413]],
    // It is to be left out or refused. The parser refuses it.
    ['a length in a trailer (9110, 6.5.1)', chunked(`3\r\n${BODY}\r\n0\r\nContent-Length: 50\r\n\r\n`)],
    ['a trailer that is no header', chunked(`3\r\n${BODY}\r\n0\r\nNothing\r\n\r\n`)],
  ]),
  ...all('9.3', 'end', OK, [
    ['close is honoured', get('Connection: close\r\n')],
    ['close is honoured in another case', get('Connection: Close\r\n')],
    ['close is honoured in a list', get('Connection: keep-alive, close\r\n')],
    ['HTTP/1.0 is closed', raw('GET /page HTTP/1.0')],
    ['an upgrade is not made (9110, 7.8)', get('Connection: upgrade\r\nUpgrade: websocket\r\n')],
    [
      'an upgrade to what is not known is not made (9110, 7.8)',
      get('Connection: upgrade\r\nUpgrade: x/1\r\n'),
    ],
  ]),
  ...all('9.3', 'next', OK, [
    ['a connection is kept without a word', get()],
    ['keep-alive is nothing new', get('Connection: keep-alive\r\n')],
    ['an option that is not known is ignored', get('Connection: x-option\r\n')],
    ['HTTP/1.0 with keep-alive is kept', raw('GET /page HTTP/1.0', `${HOST}Connection: keep-alive\r\n`)],
    ['a lone TE is no body', get('TE: trailers\r\n')],
  ]),
  ...all('9110, 9.3.2', 'next', OK, [['HEAD has no body', raw('HEAD /page HTTP/1.1')]]).map((each) => ({
    ...each,
    isHead: true,
  })),
  ...all('9110, 10.1.1', 'end', [417], [['an expectation that is not known', get('Expect: tea\r\n')]]),
  ...all('9110, 14.2', 'next', SEE_OTHER, [
    ['a range is for GET alone', post('Range: bytes=0-1\r\nContent-Length: 3\r\n', BODY)],
  ]),
  ...all('9110, 14.2', 'next', OK, [
    ['a range of another unit is ignored', get('Range: lines=1-2\r\n')],
    ['a range that is none is ignored', get('Range: bytes=x\r\n')],
    ['many ranges cost nothing', get(`Range: bytes=${'0-1,'.repeat(1000)}0-1\r\n`)],
  ]),
  ...all('9110, 13.1', 'next', OK, [
    ['a date that is none is ignored', get('If-Modified-Since: yesterday\r\n')],
    ['a tag without quotes is none', get('If-None-Match: abc\r\n')],
  ]),
  ...all('9110, 12.5.1', 'next', OK, [
    ['an Accept that nothing meets gets what there is', get('Accept: x/y\r\n')],
  ]),
];
