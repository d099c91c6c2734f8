import { writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Build, buildServer, type RunningServer, startBuilt } from '../support/built-server.ts';
import { placeSite } from '../support/lay-out.ts';
import { freePort, until } from '../support/redis.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { Nginx, nginxProgram, SITE } from './nginx.ts';

interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

interface Asking {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

function ask(port: number, path: string, { method = 'GET', headers = {}, body }: Asking = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path, method, agent: false, headers: { host: SITE, ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            rawHeaders: response.rawHeaders,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

const running = nginxProgram === undefined ? 'there is no nginx on this machine: apt-get install nginx' : '';

describe.skipIf(running !== '')(
  `nginx in front of servers that only look${running && `: skipped, ${running}`}`,
  () => {
    interface Seen {
      readonly method: string;
      readonly headers: IncomingHttpHeaders;
    }
    const seen: Seen[] = [];
    const servers: Server[] = [];
    let answer: 'well' | 'break off' | 'no room' = 'well';
    let nginx: Nginx;

    beforeAll(async () => {
      const ports: number[] = [];
      for (let index = 0; index < 3; index++) {
        const server = createServer((request, response) => {
          seen.push({ method: request.method ?? '', headers: request.headers });
          if (answer === 'break off') request.socket.destroy();
          else if (answer === 'no room') response.writeHead(503, { 'retry-after': '2' }).end('no room');
          else
            response
              .writeHead(200, {
                'surrogate-key': 'users#1',
                'cache-groups': '"users#1"',
                'x-request-id': 'theirs',
              })
              .end('well');
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        const address = server.address();
        ports.push(typeof address === 'object' && address !== null ? address.port : 0);
        servers.push(server);
      }
      const [one = 0, two = 0, three = 0] = ports;
      nginx = await Nginx.start({ ports: [one, two, three] });
    });
    afterAll(async () => {
      await nginx?.stop();
      for (const server of servers) server.close();
    });
    afterEach(() => {
      answer = 'well';
      seen.length = 0;
    });

    test('what the visitor says of himself and of the way here goes no further', async () => {
      const lies = {
        'x-forwarded-for': '1.2.3.4',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'evil.example',
        'x-forwarded-port': '1',
        'x-forwarded-prefix': '/evil',
        'x-real-ip': '1.2.3.4',
        forwarded: 'for=1.2.3.4;host=evil.example',
        'x-request-id': 'mine',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        tracestate: 'a=b',
        'x-coherent-token': 'guessed',
        'x-no-compression': '1',
        'x-http-method-override': 'DELETE',
        'x-original-url': '/admin',
        'x-rewrite-url': '/admin',
        proxy: 'http://evil.example',
      };
      const got = await ask(nginx.port, '/', {
        headers: { ...lies, cookie: 'a=b', 'accept-language': 'eo' },
      });
      expect(got.status).toBe(200);
      const headers: IncomingHttpHeaders = seen[0]?.headers ?? {};
      expect(headers).toEqual({
        host: SITE,
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-request-id': expect.stringMatching(/^[0-9a-f]{32}$/),
        cookie: 'a=b',
        'accept-language': 'eo',
      });
      // The visitor gets the same id, once, and nothing that is for caches only.
      expect(got.headers['x-request-id']).toBe(headers['x-request-id']);
      expect(got.headers['surrogate-key']).toBeUndefined();
      expect(got.headers['cache-groups']).toBeUndefined();
      expect(got.headers.server).toBe('nginx');
    });

    test('another host is refused here, whatever form it has', async () => {
      for (const host of ['evil.example', `${SITE}.evil.example`, '127.0.0.1', ''])
        expect((await ask(nginx.port, '/', { headers: { host } })).status, host).toBeOneOf([400, 421]);
      expect((await ask(nginx.port, 'http://evil.example/')).status).toBe(421);
      expect(seen).toEqual([]);
      await ask(nginx.port, '/', { headers: { host: `${SITE}:8080` } });
      expect(seen[0]?.headers.host).toBe(SITE);
    });

    test('a GET is tried elsewhere when a server breaks off; a POST that may have arrived is not', async () => {
      answer = 'break off';
      const post = await ask(nginx.port, '/', { method: 'POST', body: 'a=1' });
      expect(post.status).toBe(502);
      expect(seen.map(({ method }) => method)).toEqual(['POST']);
      seen.length = 0;
      // A server that failed twice is left out for a moment, so this may be two and need not be three.
      expect((await ask(nginx.port, '/')).status).toBe(502);
      expect(seen.length).toBeGreaterThanOrEqual(2);
      answer = 'well';
      await until(async () => (await ask(nginx.port, '/')).status === 200);
    });

    test('a server without room is believed, and the others are not asked in its place', async () => {
      answer = 'no room';
      const got = await ask(nginx.port, '/');
      expect([got.status, got.headers['retry-after'], seen.length]).toEqual([503, '2', 1]);
    });

    test('connections to the servers are kept, and a body that is too large does not get there', async () => {
      const connections: number[] = [];
      for (let at = 0; at < 30; at++) await ask(nginx.port, '/');
      for (const server of servers)
        connections.push(await new Promise((resolve) => server.getConnections((_, count) => resolve(count))));
      const sum = connections.reduce((total, count) => total + count, 0);
      // Two workers of nginx, three servers, one request at a time.
      expect(sum).toBeGreaterThan(0);
      expect(sum).toBeLessThanOrEqual(6);
      seen.length = 0;
      expect((await ask(nginx.port, '/', { method: 'POST', body: 'x'.repeat(70_000) })).status).toBe(413);
      expect(seen).toEqual([]);
    });

    test('its log has paths without queries', async () => {
      await ask(nginx.port, '/of-the-log?token=secret', {
        headers: { cookie: 'secret', referer: 'http://h/secret' },
      });
      await until(() => nginx.log().some((line) => line['url.path'] === '/of-the-log'));
      expect(JSON.stringify(nginx.log())).not.toContain('secret');
    });
  },
);

describe.skipIf(running !== '')(
  `nginx in front of three servers${running && `: skipped, ${running}`}`,
  () => {
    let build: Build;
    let nginx: Nginx;
    let withCopies: Nginx;
    const servers: RunningServer[] = [];
    const lines: TcpProxy[] = [];

    beforeAll(async () => {
      build = buildServer();
      const site = placeSite(build.folder, 'test/fixtures/tiny-app');
      writeFileSync(join(site, 'public/long.css'), `/* ${'a rule like any other. '.repeat(200)} */`);
      writeFileSync(
        join(site, 'pages/long.js'),
        "import { page } from 'coherent-render-server';\nexport default page({ view: () => ({ p: 'many words '.repeat(500) }) });\n",
      );
      const ports = await Promise.all([freePort(), freePort(), freePort()]);
      const started = ports.map((port, index) =>
        startBuilt(build, {
          PORT: String(port),
          NODE_ENV: 'production',
          DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
          DATA_DIR: join(build.folder, `data-${index}`),
          APP: site,
          TRUSTED_PROXIES: '127.0.0.1',
          ALLOWED_HOSTS: SITE,
          PUBLIC_ORIGIN: `https://${SITE}`,
        }),
      );
      servers.push(...(await Promise.all(started)));
      for (const port of ports) lines.push(await TcpProxy.to({ port }));
      const [one = 0, two = 0, three = 0] = lines.map(({ port }) => port);
      nginx = await Nginx.start({ ports: [one, two, three] });
      withCopies = await Nginx.start({ ports: [one, two, three], microCache: true });
    }, 180_000);

    afterAll(async () => {
      await nginx?.stop();
      await withCopies?.stop();
      await Promise.all(servers.map((server) => server.stop()));
      for (const line of lines) await line.close();
      build?.remove();
    }, 60_000);

    afterEach(() => {
      for (const line of lines) line.refuse(false);
    });

    test('every header comes once, and those of security come from the server', async () => {
      for (const path of ['/', '/nowhere', '/broken']) {
        const { rawHeaders, headers } = await ask(nginx.port, path);
        const names = rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
        expect(names, path).toHaveLength(new Set(names).size);
        for (const name of [
          'content-security-policy',
          'x-content-type-options',
          'referrer-policy',
          'strict-transport-security',
        ])
          expect(headers[name], `${path} ${name}`).toBeDefined();
        expect(headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
      }
    });

    test('a failure goes by one id: in the page, the header, the log of nginx and that of the server', async () => {
      const { headers, body } = await ask(nginx.port, '/broken');
      const id = String(headers['x-request-id']);
      expect(body).toContain(id);
      await until(() => servers.some((server) => server.output().includes(`"requestId":"${id}"`)));
      await until(() => nginx.log().some(({ requestId }) => requestId === id));
    });

    test('pages come as the servers have compressed them, with strong tags and 304', async () => {
      for (const encoding of ['br', 'gzip', 'identity']) {
        const headers = { 'accept-encoding': encoding };
        const got = await ask(nginx.port, '/long', { headers });
        expect(got.headers['content-encoding'] ?? 'identity').toBe(encoding);
        expect(got.headers.etag).toMatch(/^"[^"]+"$/);
        const again = await ask(nginx.port, '/long', {
          headers: { ...headers, 'if-none-match': String(got.headers.etag) },
        });
        expect([again.status, again.body]).toEqual([304, '']);
        expect(again.headers.etag).toBe(got.headers.etag);
      }
    });

    test('files are for ever, and here when no server is', async () => {
      const { body } = await ask(nginx.port, '/');
      const [, style = ''] = /<link rel="stylesheet" href="([^"]+)">/.exec(body) ?? [];
      const encodings = ['br', 'gzip', 'identity'];
      for (const encoding of encodings)
        await ask(nginx.port, style, { headers: { 'accept-encoding': encoding } });
      for (const line of lines) line.refuse();
      for (const encoding of encodings) {
        const got = await ask(nginx.port, style, { headers: { 'accept-encoding': encoding } });
        expect(got.status, encoding).toBe(200);
        expect(got.headers['cache-control']).toBe('public, max-age=31536000, immutable');
      }
      expect((await ask(nginx.port, '/')).status).toBe(502);
      expect((await ask(nginx.port, '/robots.0123456789ab.css')).status).toBe(502);
    });

    test('a server that dies costs no GET', async () => {
      await until(async () => (await ask(nginx.port, '/')).status === 200);
      const statuses: number[] = [];
      let going = true;
      const visitors = Array.from({ length: 8 }, async () => {
        while (going) statuses.push((await ask(nginx.port, '/long')).status);
      });
      const more = (count: number) => {
        const before = statuses.length;
        return until(() => statuses.length >= before + count);
      };
      await more(50);
      lines[0]?.refuse();
      await more(150);
      lines[0]?.refuse(false);
      lines[1]?.refuse();
      await more(150);
      going = false;
      await Promise.all(visitors);
      expect(new Set(statuses)).toEqual(new Set([200]));
      const upstreams = new Set(nginx.log().flatMap(({ upstream }) => String(upstream).split(', ')));
      for (const { port } of lines) expect(upstreams).toContain(`127.0.0.1:${port}`);
    });

    test('without copies of pages the servers are asked each time', async () => {
      await ask(nginx.port, '/long');
      const [line] = nginx.log().slice(-1);
      await ask(nginx.port, '/long');
      await until(() => nginx.log().at(-1)?.requestId !== line?.requestId);
      expect(nginx.log().at(-1)?.upstream).toContain('127.0.0.1:');
      expect(String(nginx.log().at(-1)?.cache)).toContain('coherent');
    });

    test('with copies a page is shown when no server answers, and one that is nobody’s to keep is not', async () => {
      await until(async () => (await ask(withCopies.port, '/long')).status === 200);
      expect((await ask(withCopies.port, '/broken')).status).toBe(500);
      for (const line of lines) line.refuse();
      expect((await ask(withCopies.port, '/long')).status).toBe(200);
      expect((await ask(withCopies.port, '/broken')).status).toBe(502);
    });
  },
);
