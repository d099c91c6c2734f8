// The real SDK in a real server, loaded as an operator loads it: NODE_OPTIONS=--import.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Build, buildServer, type RunningServer, startBuilt } from '../support/built-server.ts';
import { placeSite } from '../support/lay-out.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { until } from '../support/redis.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

interface ExportedSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly id: string;
  readonly parent: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: number;
  readonly links: number;
}

/** Every span as a line in a file. Spans of a test must be there at once, so none waits in a batch. */
const SDK = `
import { appendFileSync } from 'node:fs';
import { context, propagation, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
const exporter = {
  export(spans, done) {
    for (const span of spans) {
      const { name, kind, attributes, status, links, parentSpanContext } = span;
      const { traceId, spanId } = span.spanContext();
      appendFileSync(process.env.SPANS_FILE, JSON.stringify({
        name, kind, attributes, traceId, id: spanId, parent: parentSpanContext?.spanId, status: status.code, links: links.length,
      }) + '\\n');
    }
    done({ code: 0 });
  },
  shutdown: async () => {},
};
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
trace.setGlobalTracerProvider(provider);
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
const form = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
propagation.setGlobalPropagator({
  fields: () => ['traceparent'],
  extract(into, headers, getter) {
    const [, traceId, spanId, flags] = form.exec(getter.get(headers, 'traceparent')) ?? [];
    if (traceId === undefined) return into;
    return trace.setSpanContext(into, { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true });
  },
  inject(from, headers, setter) {
    const { traceId, spanId } = trace.getSpanContext(from) ?? {};
    if (traceId !== undefined) setter.set(headers, 'traceparent', '00-' + traceId + '-' + spanId + '-01');
  },
});
`;

const PAGE = `
import { page } from 'coherent-render-server';
export default page({
  cache: { ttlMs: 60_000 },
  load: async ({ params, db, fetch }) => {
    const thing = await db.one("SELECT id, name FROM things WHERE name <> 'a value' AND id = 1");
    const other = await fetch(process.env.UPSTREAM + '/weather?key=secret-of-the-application');
    return { ...thing, weather: await other.text() };
  },
  view: ({ name, weather }) => ({ p: name + ' ' + weather }),
});
`;

let build: Build;
let database: TestDatabase;
let server: RunningServer;
let upstream: Server;
const asked: (string | undefined)[] = [];
const file = () => join(build.folder, 'spans');

beforeAll(async () => {
  build = buildServer();
  const site = placeSite(build.folder, 'test/fixtures/tiny-app');
  writeFileSync(join(site, 'pages/traced.js'), PAGE);
  writeFileSync(join(build.folder, 'package/otel.mjs'), SDK);
  database = await testDatabase(`
    CREATE TABLE things (id int PRIMARY KEY, name text NOT NULL, price int NOT NULL);
    INSERT INTO things VALUES (1, 'Kettle', 40)`);
  upstream = createServer((request, response) => {
    asked.push(String(request.headers.traceparent));
    response.end('sunny');
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const address = upstream.address();
  const port = typeof address === 'object' ? address?.port : 0;
  server = await startBuilt(build, {
    NODE_ENV: 'production',
    NODE_OPTIONS: `--import ${join(build.folder, 'package/otel.mjs')}`,
    SPANS_FILE: file(),
    UPSTREAM: `http://127.0.0.1:${port}`,
    DATABASE_URL: database.url,
    FEED: 'off',
    APP: site,
    ACCESS_LOG: 'all',
  });
}, 120_000);

afterAll(async () => {
  await server?.stop();
  await database?.close();
  await new Promise((resolve) => upstream?.close(resolve));
  build?.remove();
});

function spans(): ExportedSpan[] {
  if (!existsSync(file())) return [];
  return readFileSync(file(), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

async function spansOf(traceId: string, isWhole: (spans: readonly ExportedSpan[]) => boolean) {
  const found = () => spans().filter((span) => span.traceId === traceId);
  await until(() => isWhole(found()));
  return found();
}

const hasRequest = (all: readonly ExportedSpan[]) => all.some(({ kind }) => kind === 1);

/** `name > name`: each span after those it is in. */
function paths(all: readonly ExportedSpan[]): string[] {
  const byId = new Map(all.map((span) => [span.id, span]));
  const path = (span: ExportedSpan): string => {
    const parent = byId.get(span.parent ?? '');
    return parent === undefined ? span.name : `${path(parent)} > ${span.name}`;
  };
  return all.map(path).sort();
}

test('a request is a tree: the request, its tiers, its render, load, statements and calls, under the parent it names', async () => {
  const traceparent = `00-${TRACE}-${PARENT}-01`;
  const answer = await fetch(new URL('/traced?q=a-query-of-the-visitor', server.url), {
    headers: { traceparent },
  });
  expect(await answer.text()).toContain('Kettle sunny');
  const all = await spansOf(
    TRACE,
    (found) => hasRequest(found) && found.some(({ name }) => name === 'l3 set'),
  );
  const request = 'GET /traced';
  const load = `${request} > render /traced > load /traced`;
  expect(paths(all)).toEqual(
    expect.arrayContaining([
      request,
      `${request} > l3 get`,
      `${request} > l3 set`,
      `${request} > render /traced`,
      load,
      `${load} > SELECT`,
      `${load} > GET`,
    ]),
  );
  const [root] = all.filter(({ name }) => name === request);
  expect(root?.parent).toBe(PARENT);
  expect(root?.kind).toBe(1);
  expect(root?.attributes).toMatchObject({
    'http.request.method': 'GET',
    'http.route': '/traced',
    'url.path': '/traced',
    'http.response.status_code': 200,
    'coherent.cache': 'miss',
  });

  const [call] = all.filter(({ name }) => name === 'GET');
  expect(asked).toEqual([`00-${TRACE}-${call?.id}-01`]);
  expect(call?.attributes).toMatchObject({ 'http.response.status_code': 200, 'server.address': '127.0.0.1' });

  const [statement] = all.filter(
    ({ name, attributes }) => name === 'SELECT' && String(attributes['db.query.text']).includes('things'),
  );
  expect(statement?.kind).toBe(2);
  expect(statement?.attributes).toMatchObject({
    'db.system.name': 'postgresql',
    'db.operation.name': 'SELECT',
    'db.query.text': 'SELECT id, name FROM things WHERE name <> ? AND id = ?',
    'db.response.returned_rows': 1,
  });
  for (const secret of ['a value', 'secret-of-the-application', 'a-query-of-the-visitor'])
    expect(JSON.stringify(all)).not.toContain(secret);

  await until(() => server.output().includes(`"traceId":"${TRACE}"`));
});

test('a hit of the fast path has no span', async () => {
  const count = () => spans().filter(({ name }) => name === 'GET /traced').length;
  // The ordinary path teaches the fast path, and once more when the page has been compressed well.
  await until(async () => {
    const before = count();
    for (let at = 0; at < 5; at++) {
      const answer = await fetch(new URL('/traced', server.url));
      await answer.arrayBuffer();
      expect(answer.headers.get('cache-status')).toContain('hit');
    }
    return count() === before;
  });
});

test('a failure is one in its span, by its name and not by its message', async () => {
  const trace = 'f'.repeat(32);
  const answer = await fetch(new URL('/broken', server.url), {
    headers: { traceparent: `00-${trace}-${PARENT}-01` },
  });
  expect(answer.status).toBe(500);
  const all = await spansOf(trace, hasRequest);
  const [root] = all.filter(({ kind }) => kind === 1);
  expect(root).toMatchObject({ name: 'GET /broken', status: 2, attributes: { 'error.type': '500' } });
  const [render] = all.filter(({ name }) => name === 'render /broken');
  expect(render).toMatchObject({ status: 2, attributes: { 'error.type': 'Error' } });
  expect(JSON.stringify(all)).not.toContain('a secret of the kitchen');
});

test('a request without a parent, or with one that is none, begins a trace of its own', async () => {
  await fetch(new URL('/nowhere', server.url), { headers: { traceparent: 'nonsense' } });
  await until(() => spans().some(({ name, parent }) => name === 'GET _404' && parent === undefined));
});
