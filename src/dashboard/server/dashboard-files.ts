// What the build made for the dashboard (scripts/build-dashboard.mjs), read once: nothing that a request names is ever
// looked for on the disk.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { OperationsResponse } from '../../operations/operations.ts';

export type DashboardPage = 'dashboard' | 'login-asked' | 'login-wrong' | 'login-too-many';

export interface DashboardFiles {
  readonly pages: Readonly<Record<DashboardPage, string>>;
  /** By path. Their content never changes under it. */
  readonly assets: ReadonlyMap<`/${string}`, OperationsResponse>;
  /** Of the pages. */
  readonly headers: Readonly<Record<string, string>>;
}

const manifest = z.object({
  revision: z.string().regex(/^[0-9a-f]+$/),
  files: z.array(z.string().regex(/^[\w-]+\.(js|css|svg)$/)),
  /** Of the import map, the one script that stands in the page itself. */
  scriptHash: z.string().regex(/^sha256-[\w+/=]+$/),
});

const TYPES: Record<string, string> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};
const FOR_EVER = { 'cache-control': 'public, max-age=31536000, immutable' };

const BESIDE_US = new URL('../browser/', import.meta.url);

/** Undefined where the build made none: TypeScript run as it stands, or compiled by hand. */
export function readDashboardFiles(folder: URL = BESIDE_US): DashboardFiles | undefined {
  try {
    return read(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function read(folder: URL): DashboardFiles {
  const text = (file: string) => readFileSync(new URL(file, folder), 'utf8');
  const { revision, files, scriptHash } = manifest.parse(JSON.parse(text('manifest.json')));
  const assets = new Map<`/${string}`, OperationsResponse>();
  const add = (name: string, body: Buffer) => {
    const contentType = TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
    assets.set(`/dashboard/assets/${revision}/${name}`, {
      status: 200,
      body,
      contentType,
      headers: FOR_EVER,
    });
  };
  for (const file of files) add(file, readFileSync(new URL(file, folder)));
  const uplot = new URL('.', import.meta.resolve('uplot'));
  add('uplot.js', readFileSync(fileURLToPath(new URL('uPlot.esm.js', uplot))));
  add('uplot.css', readFileSync(fileURLToPath(new URL('uPlot.min.css', uplot))));
  return {
    assets,
    pages: {
      dashboard: text('dashboard.html'),
      'login-asked': text('login-asked.html'),
      'login-wrong': text('login-wrong.html'),
      'login-too-many': text('login-too-many.html'),
    },
    headers: pageHeaders(scriptHash),
  };
}

function pageHeaders(scriptHash: string): Record<string, string> {
  const policy = [
    "default-src 'none'",
    `script-src 'self' '${scriptHash}'`,
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    // Nothing on the page can make markup out of text, not even by mistake.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return {
    'content-security-policy': policy.join('; '),
    // Not no-referrer: with it a browser says `Origin: null` when the form is sent.
    'referrer-policy': 'same-origin',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  };
}
