// Files from the application's public/. Which there are was read at start (PublicFiles): a request chooses from
// that list and can name nothing else. Small text files are read and compressed once, when first asked for, and
// sent as pages are; of all others conditions, ranges and media types are @fastify/send's.
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import sendFile from '@fastify/send';
import type { Bytes } from '../core/units.ts';
import { encode, tagOf, WORTH_COMPRESSING } from '../page/encode.ts';
import type { PublicFile, PublicFiles } from '../page/public-files.ts';
import { type Asked, answerPage, type Sendable } from './answer.ts';
import { plainAnswer } from './plain-answer.ts';
import { send } from './respond.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

const IMMUTABLE = 'public, max-age=31536000, immutable';
const REVALIDATED = 'public, max-age=0, must-revalidate';

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

export class StaticFiles {
  readonly #files: PublicFiles;
  readonly #contentSecurityPolicy: string;
  readonly #kept = new Map<PublicFile, Promise<Sendable>>();
  #keptBytes: Bytes = 0;

  /** The policy matters for what browsers open by itself, such as an SVG. */
  constructor(files: PublicFiles, contentSecurityPolicy: string) {
    this.#files = files;
    this.#contentSecurityPolicy = contentSecurityPolicy;
  }

  find(segments: readonly string[]): PublicFile | undefined {
    return this.#files.find(`/${segments.join('/')}`);
  }

  /** Resolves when the answer is sent or the visitor has gone. */
  async serve(file: PublicFile, request: StaticRequest): Promise<void> {
    const text = this.#text(file);
    if (text === undefined) await this.#fromDisk(file, request);
    else send(request.response, answerPage(await text, request.asked, undefined), request.closing);
  }

  #text(file: PublicFile): Promise<Sendable> | undefined {
    const known = this.#kept.get(file);
    if (known !== undefined) return known;
    const type = sendFile.mime.getType(file.path) ?? '';
    if (!TEXT.test(type) || file.size < WORTH_COMPRESSING || file.size > MAX_TEXT_BYTES) return undefined;
    if (this.#keptBytes + 2 * file.size > MAX_KEPT_BYTES) return undefined;
    this.#keptBytes += 2 * file.size;
    const text = this.#read(file, type);
    this.#kept.set(file, text);
    text.catch(() => {
      this.#kept.delete(file);
      this.#keptBytes -= 2 * file.size;
    });
    return text;
  }

  async #read(file: PublicFile, type: string): Promise<Sendable> {
    const identity = await readFile(join(this.#files.folder, file.path));
    const charset = type === 'application/wasm' || type.startsWith('image/') ? '' : '; charset=utf-8';
    return {
      status: 200,
      headers: [
        ['content-type', `${type}${charset}`],
        ['cache-control', file.immutable ? IMMUTABLE : REVALIDATED],
        ['vary', 'accept-encoding'],
        ['content-security-policy', this.#contentSecurityPolicy],
      ],
      identity,
      ...(await encode(identity)),
      tag: tagOf(identity),
    };
  }

  async #fromDisk(file: PublicFile, { request, response, asked, closing }: StaticRequest): Promise<void> {
    const path = file.path.split('/').map(encodeURIComponent).join('/');
    const options = {
      root: this.#files.folder,
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
        plainAnswer(
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
    headers.push('cache-control', file.immutable ? IMMUTABLE : REVALIDATED);
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
