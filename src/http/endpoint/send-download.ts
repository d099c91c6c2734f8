// Sends a file that an endpoint named: conditions, ranges and media types are @fastify/send's.
import type { IncomingMessage } from 'node:http';
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import sendFile from '@fastify/send';
import { attachment } from '../../page/endpoint/attachment.ts';
import type { Download } from '../../page/endpoint/download.ts';
import { SECURITY_HEADERS } from '../response/security-headers.ts';
import { NO_DOCUMENT } from './json-response.ts';
import type { Outgoing, Sent } from './web-response.ts';

/** A range of many parts is dear to read. A server need not answer one (RFC 9110, 14.2), so the whole file is sent. */
const MAX_RANGE_LENGTH = 256;
/** Nothing in it runs, and it is of no origin: neither cookies nor storage of this site are there for it. */
const SANDBOX =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'";

/** 'absent': there is no such file, and nothing was sent. */
export async function sendDownload(
  { file, name = basename(file), type, inline = false }: Download,
  request: IncomingMessage,
  { response, extra, own, closing }: Outgoing,
): Promise<Sent | 'absent'> {
  if ((request.headers.range?.length ?? 0) > MAX_RANGE_LENGTH) delete request.headers.range;
  const found = await sendFile(request, encodeURIComponent(basename(file)), {
    root: dirname(file),
    cacheControl: false,
    index: false,
    dotfiles: 'allow',
  });
  if (found.type !== 'file' && found.statusCode !== 416 && found.statusCode !== 304) {
    found.stream.destroy();
    return 'absent';
  }
  const isFile = found.statusCode === 200 || found.statusCode === 206;
  const headers = new Map(
    Object.entries(found.headers).map(([key, value]) => [key.toLowerCase(), String(value)]),
  );
  if (isFile && type !== undefined) headers.set('content-type', type);
  headers.set('cache-control', 'private, no-cache');
  headers.set('content-disposition', inline ? 'inline' : attachment(name));
  headers.set('content-security-policy', inline ? SANDBOX : NO_DOCUMENT);
  const flat = [...headers].flat();
  if (response.destroyed) {
    found.stream.destroy();
    return 'gone';
  }
  const last = closing() ? ['connection', 'close'] : [];
  response.writeHead(found.statusCode, [...flat, ...SECURITY_HEADERS, ...own, ...extra, ...last]);
  try {
    await pipeline(found.stream, response);
    return 'sent';
  } catch {
    response.destroy();
    return 'gone';
  }
}
