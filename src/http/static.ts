// Files from the application's public/. Which there are was read at start (PublicFiles): a request chooses from
// that list and can name nothing else. Small text files are read and compressed once for each of their versions, when first
// asked for, and sent as pages are; of all others conditions, ranges and media types are @fastify/send's.
//
// A hashed name promises bytes, for a year. It is answered from the copy that the build has kept (KeptAssets), else from
// public/; `immutable` is said of bytes that have this hash, and of others `no-cache`.
import type { Stats } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import sendFile from '@fastify/send';
import type { Bytes } from '../core/units.ts';
import type { KeptAssets } from '../page/application/kept-assets.ts';
import {
  hashOfFile,
  type PublicFile,
  type PublicFiles,
  shortHash,
  versionOf,
} from '../page/application/public-files.ts';
import { encode, tagOf, WORTH_COMPRESSING } from '../page/encode/encode.ts';
import { plainResponse } from './response/plain-response.ts';
import { type Asked, pageResponse, type Sendable } from './response/response.ts';
import { SECURITY_HEADERS } from './response/security-headers.ts';
import { send } from './response/send.ts';

const IMMUTABLE = 'public, max-age=31536000, immutable';
const REVALIDATED = 'public, max-age=0, must-revalidate';
/** A hashed name whose bytes are gone: what is there now is better than nothing, once. */
const NOT_AS_NAMED = 'no-cache';

const TEXT = /^(?:text\/|application\/(?:javascript|json|xml|wasm|manifest\+json)|image\/svg\+xml)/;
const MAX_TEXT_BYTES: Bytes = 1024 * 1024;
/** All text files that are kept together; what comes beyond is sent from disk. */
const MAX_KEPT_BYTES: Bytes = 16 * 1024 * 1024;

export interface StaticRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly asked: Asked;
  readonly closing: boolean;
}

/** Where a file's bytes lie now. */
interface Place {
  readonly folder: string;
  /** Below it, with '/'. */
  readonly name: string;
  readonly stats: Stats;
}

interface KeptText {
  readonly version: string;
  readonly bytes: Bytes;
  readonly text: Promise<Sendable>;
}

export class StaticFiles {
  readonly #files: PublicFiles;
  readonly #contentSecurityPolicy: string;
  readonly #assets: KeptAssets | undefined;
  readonly #kept = new Map<string, KeptText>();
  #keptBytes: Bytes = 0;
  /** Hashes of large files in public/ as they were last found, by path. */
  readonly #hashes = new Map<string, { readonly version: string; readonly hash: Promise<string> }>();

  /** The policy matters for what browsers open by itself, such as an SVG. */
  constructor(files: PublicFiles, contentSecurityPolicy: string, assets?: KeptAssets) {
    this.#files = files;
    this.#contentSecurityPolicy = contentSecurityPolicy;
    this.#assets = assets;
  }

  find(segments: readonly string[]): PublicFile | undefined {
    const address = `/${segments.join('/')}`;
    return this.#files.find(address) ?? this.#assets?.find(address);
  }

  /** Resolves when the answer is sent or the visitor has gone. */
  async serve(file: PublicFile, request: StaticRequest): Promise<void> {
    try {
      const place = await this.#place(file);
      const text = this.#text(file, place);
      if (text === undefined) await this.#fromDisk(file, place, request);
      else send(request.response, pageResponse(await text, request.asked, undefined), request.closing);
    } catch (error) {
      if (!isGone(error)) throw error;
      // Listed at start and gone since.
      send(request.response, plainResponse(404, 'Not found.', request.asked.transport), request.closing);
    }
  }

  /** Rejects with ENOENT where there is no file any more, or something else in its place. */
  async #place(file: PublicFile): Promise<Place> {
    const name = file.immutable ? this.#assets?.nameOf(file) : undefined;
    const at =
      name === undefined
        ? { folder: this.#files.folder, name: file.path }
        : { folder: this.#assets?.folder ?? '', name };
    const stats = await lstat(join(at.folder, at.name));
    if (!stats.isFile()) throw Object.assign(new Error(`${at.name} is no file any more`), { code: 'ENOENT' });
    return { ...at, stats };
  }

  #text(file: PublicFile, { folder, name, stats }: Place): Promise<Sendable> | undefined {
    const key = `${file.immutable ? file.hash : ''} ${folder}/${name}`;
    const version = versionOf(stats);
    const known = this.#kept.get(key);
    if (known?.version === version) return known.text;
    if (known !== undefined) this.#forget(key, known);
    const type = sendFile.mime.getType(file.path) ?? '';
    if (!TEXT.test(type) || stats.size < WORTH_COMPRESSING || stats.size > MAX_TEXT_BYTES) return undefined;
    const bytes = 2 * stats.size;
    if (this.#keptBytes + bytes > MAX_KEPT_BYTES) return undefined;
    const text = this.#read(file, join(folder, name), type);
    const kept = { version, bytes, text };
    this.#keptBytes += bytes;
    this.#kept.set(key, kept);
    text.catch(() => this.#forget(key, kept));
    return text;
  }

  #forget(key: string, kept: KeptText): void {
    if (this.#kept.get(key) !== kept) return;
    this.#kept.delete(key);
    this.#keptBytes -= kept.bytes;
  }

  async #read(file: PublicFile, path: string, type: string): Promise<Sendable> {
    const identity = await readFile(path);
    const charset = type === 'application/wasm' || type.startsWith('image/') ? '' : '; charset=utf-8';
    return {
      status: 200,
      headers: [
        ['content-type', `${type}${charset}`],
        ['cache-control', cacheControl(file, shortHash(identity) === file.hash)],
        ['vary', 'accept-encoding'],
        ['content-security-policy', this.#contentSecurityPolicy],
      ],
      identity,
      ...(await encode(identity)),
      tag: tagOf(identity),
    };
  }

  /** Whether the bytes have the hash that the name says. They are read again only when the file has changed. */
  async #isAsNamed(file: PublicFile, { folder, name, stats }: Place): Promise<boolean> {
    if (!file.immutable) return false;
    const version = versionOf(stats);
    const path = join(folder, name);
    const listed = folder === this.#files.folder ? this.#files.listed.get(file.path) : undefined;
    if (listed?.version === version) return listed.hash === file.hash;
    let known = this.#hashes.get(path);
    if (known?.version !== version) {
      known = { version, hash: hashOfFile(path) };
      this.#hashes.set(path, known);
      known.hash.catch(() => this.#hashes.delete(path));
    }
    return (await known.hash) === file.hash;
  }

  async #fromDisk(
    file: PublicFile,
    place: Place,
    { request, response, asked, closing }: StaticRequest,
  ): Promise<void> {
    const path = place.name.split('/').map(encodeURIComponent).join('/');
    const isAsNamed = await this.#isAsNamed(file, place);
    const options = {
      root: place.folder,
      cacheControl: false,
      index: false,
      dotfiles: 'allow',
    } as const;
    const found = await sendFile(request, path, options);
    if (found.type !== 'file') {
      found.stream.destroy();
      // Listed at start and gone since, or a range that it does not have.
      send(
        response,
        plainResponse(
          found.statusCode,
          found.statusCode === 416 ? 'No such range.' : 'Not found.',
          asked.transport,
        ),
        closing,
      );
      return;
    }
    const headers: string[] = [];
    for (const [name, value] of Object.entries(found.headers))
      headers.push(name.toLowerCase(), String(value));
    // It was replaced since it was looked at.
    const isSame = versionOf(found.metadata.stat) === versionOf(place.stats);
    headers.push('cache-control', cacheControl(file, isAsNamed && isSame));
    headers.push('content-security-policy', this.#contentSecurityPolicy, ...SECURITY_HEADERS);
    if (asked.transport !== undefined) headers.push(...asked.transport);
    if (closing) headers.push('connection', 'close');
    if (response.destroyed) {
      found.stream.destroy();
      return;
    }
    response.writeHead(found.statusCode, headers);
    // A visitor who leaves in the middle is no failure.
    await pipeline(found.stream, response).catch(() => response.destroy());
  }
}

function cacheControl(file: PublicFile, isAsNamed: boolean): string {
  if (!file.immutable) return REVALIDATED;
  return isAsNamed ? IMMUTABLE : NOT_AS_NAMED;
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
