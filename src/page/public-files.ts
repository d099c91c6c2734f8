// The application's public/ folder, read once at start: which files there are, and each one's hashed name.
// Only what is listed here is ever served, so no request can name a file outside the folder.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import type { Bytes } from '../core/units.ts';
import { AssetError } from './errors.ts';

export interface PublicFile {
  /** Relative to the folder, with '/'. */
  readonly path: string;
  /** Asked for under its hashed name: the bytes under that name never change. */
  readonly immutable: boolean;
  readonly size: Bytes;
}

export interface ListedFile {
  readonly hash: string;
  readonly size: Bytes;
}

export class PublicFiles {
  readonly folder: string;
  /** Changes when any of the files does: pages hold their hashed names. */
  readonly fingerprint: string;
  readonly #served = new Map<string, PublicFile>();
  readonly #hashed = new Map<string, string>();

  constructor(folder: string, listed: ReadonlyMap<string, ListedFile> = new Map()) {
    this.folder = folder;
    this.fingerprint = shortHash(JSON.stringify([...listed]));
    for (const [path, { hash, size }] of listed) {
      const extension = extname(path);
      const hashed = `/${path.slice(0, path.length - extension.length)}.${hash}${extension}`;
      this.#served.set(`/${path}`, { path, size, immutable: false });
      this.#served.set(hashed, { path, size, immutable: true });
      this.#hashed.set(`/${path}`, hashed.split('/').map(encodeURIComponent).join('/'));
    }
  }

  /** `path`: decoded, starting with '/'. */
  find(path: string): PublicFile | undefined {
    return this.#served.get(path);
  }

  /** The address under which `path` may be kept for ever. Errors: `E_ASSET`. */
  asset(path: string): string {
    const hashed = this.#hashed.get(path.startsWith('/') ? path : `/${path}`);
    if (hashed !== undefined) return hashed;
    throw new AssetError(
      `asset('${path}'): there is no such file in ${this.folder}. Names are case-sensitive.`,
    );
  }
}

/** Reads `folder`; none there is an application without public files. Hidden files and links are left out. */
export async function readPublicFiles(folder: string): Promise<PublicFiles> {
  const listed = new Map<string, ListedFile>();
  for (const file of await filesBelow(folder)) {
    const path = relative(folder, file).split(sep).join('/');
    const hidden = path.split('/').some((part) => part.startsWith('.') && part !== '.well-known');
    if (hidden) continue;
    const bytes = await readFile(file);
    listed.set(path, { hash: shortHash(bytes), size: bytes.length });
  }
  return new PublicFiles(folder, listed);
}

/** Regular files, sorted. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  let found: Awaited<ReturnType<typeof readFolder>>;
  try {
    found = await readFolder(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  return found
    .filter((item) => item.isFile())
    .map((item) => join(item.parentPath, item.name))
    .sort();
}

function readFolder(folder: string) {
  return readdir(folder, { recursive: true, withFileTypes: true });
}

/** 48 bits: enough to tell versions of one file apart, short enough to read. */
export function shortHash(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 12);
}
