// Who takes part, and how each is started. Peers are installed on first use, into bench/peers: nobody who installs
// the server downloads them.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Contestant } from './contestant.ts';

/** The repository: this file runs as dist/bench/peers.js. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const peers = path.join(root, 'bench/peers');
const next = path.join(peers, 'next');

const scratch = mkdtempSync(path.join(tmpdir(), 'coherent-bench-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** Part of the address of every page that must be new: Next.js keeps what it has rendered on disk, also from the run before. */
export const newPage = Date.now().toString(36);

/** One byte a render of a `/slow/` page, of the contestant of this name. */
export function rendersFile(name: string): string {
  return path.join(scratch, `${name.replaceAll(/\W/g, '-')}.renders`);
}

/** Next.js is built only where it takes part. */
export function preparePeers(withNext: boolean): void {
  if (!existsSync(path.join(peers, 'node_modules'))) {
    console.log('Installing the peers into bench/peers (once) ...');
    run('npm', ['ci', '--no-audit', '--no-fund'], peers);
  }
  if (withNext && !existsSync(path.join(next, '.next/BUILD_ID'))) {
    console.log('Building the Next.js peer (once) ...');
    run(process.execPath, [nextBin(), 'build'], next);
  }
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status } = spawnSync(command, args, {
    cwd,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed in ${cwd}`);
}

function nextBin(): string {
  return path.join(peers, 'node_modules/next/dist/bin/next');
}

export async function startOurs(
  workers = 1,
  env: Readonly<Record<string, string>> = {},
  copy: { readonly name: string; readonly root?: string } = { name: 'coherent' },
): Promise<Contestant> {
  const port = await freePort();
  return Contestant.start({
    name: copy.name,
    what: 'this server, one worker: routing, purge clock, negotiation, ETag, security headers',
    command: process.execPath,
    args: [path.join(copy.root ?? root, 'dist/server.js')],
    port,
    env: {
      PORT: String(port),
      HOST: '127.0.0.1',
      OPS_PORT: String(await freePort()),
      WORKERS: String(workers),
      APP: path.join(copy.root ?? root, 'dist/bench/app'),
      DATA_DIR: path.join(scratch, `data-${port}`),
      // Only where what is kept does not matter: while no database has said which it is, a page is kept for a second.
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
      FEED: 'off',
      LOG_LEVEL: 'error',
      BENCH_RENDERS: rendersFile(copy.name),
      ...env,
    },
    readyPath: '/card/1',
  });
}

async function peer(
  name: string,
  what: string,
  file: string,
  env: Record<string, string> = {},
  readyPath = '/card/1',
): Promise<Contestant> {
  const port = await freePort();
  return Contestant.start({
    name,
    what,
    command: process.execPath,
    args: [path.join(peers, 'servers', file), String(port)],
    port,
    env: { BENCH_RENDERS: rendersFile(name), ...env },
    readyPath,
  });
}

/** Sends the bytes it is given, whatever is asked. */
export function startBare(body: Buffer): Promise<Contestant> {
  const what = 'res.writeHead(200, ...); res.end(buffer) of the same body, two headers';
  return peer('bare node:http', what, 'bare.mjs', { BODY: bodyFile(body) });
}

/** The same with the headers of `like`, the ETag among them. */
export function startBareWithHeaders(body: Buffer, like: Headers): Promise<Contestant> {
  const own = new Set(['content-type', 'content-length', 'date', 'connection', 'keep-alive']);
  const headers = [...like].filter(([name]) => !own.has(name)).flat();
  return peer('bare, same headers', 'the same, with all headers that this server sends', 'bare.mjs', {
    BODY: bodyFile(body),
    HEADERS: JSON.stringify(headers),
  });
}

function bodyFile(body: Buffer): string {
  const file = path.join(scratch, 'body.html');
  writeFileSync(file, body);
  return file;
}

export function startFastify(): Promise<Contestant> {
  return peer(
    'Fastify + Map',
    'the same page, renderer, headers and ETag; a Map without bounds, limits or invalidation',
    'fastify.mjs',
  );
}

/** Also compresses each page at once; only to show what that costs. */
export function startCompressing(): Promise<Contestant> {
  const what = 'the same, and each page compressed at once with brotli and gzip';
  return peer('Fastify + Map, compressing', what, 'fastify.mjs', { COMPRESS: '1' });
}

export function startBento(): Promise<Contestant> {
  return peer(
    'bentocache',
    'the same page, renderer, headers and ETag on Fastify; memory driver, 100 MB',
    'bento.mjs',
  );
}

/** Reads a database for each request, and keeps nothing. */
export function startByHand(
  name: string,
  url: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Contestant> {
  const what = 'node:http and pg: statements, strings, headers and an ETag by hand; nothing is kept';
  return peer(name, what, 'by-hand.mjs', { DATABASE_URL: url, ...env }, '/item/0');
}

/** Keeps pages and parts in memory and in Redis, until it is told to forget all of them. */
export function startBentoOnDatabase(url: string, redisSocket: string): Promise<Contestant> {
  const what = 'the same strings on Fastify, pages and parts kept in memory and in Redis';
  const env = { DATABASE_URL: url, REDIS_SOCKET: redisSocket };
  return peer('Fastify + bentocache', what, 'bento-database.mjs', env, '/item/0');
}

export async function startNext(): Promise<Contestant> {
  const port = await freePort();
  return Contestant.start({
    name: 'Next.js 16 ISR',
    what: 'the same page in JSX, next start, revalidate: 3600',
    command: process.execPath,
    args: [nextBin(), 'start', '-p', String(port), '-H', '127.0.0.1', next],
    port,
    env: { NEXT_TELEMETRY_DISABLED: '1', BENCH_RENDERS: rendersFile('Next.js 16 ISR') },
    readyPath: '/card/1',
  });
}

export function hasNginx(): boolean {
  return spawnSync('nginx', ['-v']).status === 0;
}

export async function startNginx(upstream: Contestant): Promise<Contestant> {
  const port = await freePort();
  const folder = path.join(scratch, 'nginx');
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'nginx.conf');
  writeFileSync(file, nginxConf(folder, port, upstream.origin));
  return Contestant.start({
    name: 'nginx proxy_cache',
    what: 'one worker process in C, its cache on disk (in the page cache of the system)',
    command: 'nginx',
    args: ['-p', folder, '-c', file],
    port,
    readyPath: '/card/1',
  });
}

/** Of Debian and others. */
export function hasVarnish(): boolean {
  return spawnSync('varnishd', ['-V']).status === 0;
}

export async function startVarnish(upstream: Contestant): Promise<Contestant> {
  const port = await freePort();
  const folder = path.join(scratch, 'varnish');
  const backend = new URL(upstream.origin).host;
  return Contestant.start({
    name: 'varnish',
    what: 'in C, its cache in memory, pages kept for an hour; all of its processes and threads',
    command: 'varnishd',
    args: [
      ...['-F', '-n', folder, '-a', `127.0.0.1:${port}`, '-b', backend],
      ...['-t', '3600', '-s', 'malloc,100m', '-p', 'vsl_mask=none'],
    ],
    port,
    readyPath: '/card/1',
  });
}

function nginxConf(folder: string, port: number, upstream: string): string {
  // As root, nginx gives its workers to another user, who may not enter our folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `${user} daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 100000000;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  proxy_cache_path ${folder}/cache keys_zone=pages:10m;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass ${upstream}; proxy_cache pages; proxy_cache_valid 200 1h; proxy_cache_lock on;
      proxy_ignore_headers Cache-Control Expires Vary;
    }
  }
}
`;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
