// The application's public/ folder, read once at start: which files there are, and each one's hashed name.
// Only what is listed here is ever served, so no request can name a file outside the folder.
import { createHash } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import type { Bytes } from '../../core/units.ts';
import { ApplicationError, AssetError } from '../errors.ts';

export interface PublicFile {
  /** Relative to the folder, with '/'. */
  readonly path: string;
  /** Asked for under its hashed name: bytes under that name never change. What is on disk now may be others. */
  readonly immutable: boolean;
  /** Of its bytes at the start. */
  readonly hash: string;
  readonly size: Bytes;
}

export interface ListedFile {
  readonly hash: string;
  readonly size: Bytes;
  /** Of `versionOf`, when it was hashed. */
  readonly version?: string;
}

export class PublicFiles {
  readonly folder: string;
  /** Changes when any of the files does: pages hold their hashed names. */
  readonly fingerprint: string;
  /** By path. */
  readonly listed: ReadonlyMap<string, ListedFile>;
  readonly #served = new Map<string, PublicFile>();
  readonly #hashed = new Map<string, string>();

  constructor(folder: string, listed: ReadonlyMap<string, ListedFile> = new Map()) {
    this.folder = folder;
    this.fingerprint = shortHash(
      JSON.stringify([...listed].map(([path, { hash, size }]) => [path, { hash, size }])),
    );
    this.listed = listed;
    for (const [path, { hash, size }] of listed) {
      const extension = extname(path);
      const hashed = `/${path.slice(0, path.length - extension.length)}.${hash}${extension}`;
      this.#served.set(`/${path}`, { path, hash, size, immutable: false });
      this.#served.set(hashed, { path, hash, size, immutable: true });
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

/** Reads `folder`; none there is an application without public files. Hidden files and links are left out. Errors: `E_APPLICATION`. */
export async function readPublicFiles(folder: string): Promise<PublicFiles> {
  const listed = new Map<string, ListedFile>();
  for (const file of await filesBelow(folder)) {
    const path = relative(folder, file).split(sep).join('/');
    const hidden = path.split('/').some((part) => part.startsWith('.') && part !== '.well-known');
    if (!hidden) listed.set(path, await listFile(file, path));
  }
  return new PublicFiles(folder, listed);
}

async function listFile(file: string, path: string): Promise<ListedFile> {
  try {
    const stats = await lstat(file);
    return { hash: await hashOfFile(file), size: stats.size, version: versionOf(stats) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ApplicationError(
      `public/${path} cannot be read: ${why}. Give the server's user the right to read it, or take it out of public/.`,
      { cause },
    );
  }
}

/** Changes whenever the file is written, replaced or touched. */
export function versionOf({ size, mtimeMs, ctimeMs, ino }: Stats): string {
  return `${size} ${mtimeMs} ${ctimeMs} ${ino}`;
}

/** Of any size: it is not read into memory. */
export async function hashOfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(file, { highWaterMark: 1024 * 1024 })) hash.update(part);
  return hash.digest('hex').slice(0, HASH_LENGTH);
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

const HASH_LENGTH = 12;

/** 48 bits: enough to tell versions of one file apart, short enough to read. */
export function shortHash(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, HASH_LENGTH);
}
