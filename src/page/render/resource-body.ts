// One render of a resource: from what `load` answered to status, headers and bytes.
import type { Header } from '../../cache/entry.ts';
import type { Node } from '../../render/element.ts';
import { type RenderOptions, renderToBuffer } from '../../render/render.ts';
import type { AnyResource } from '../definitions/resource.ts';
import { ResourceError } from '../errors.ts';
import { ownHeaders, ownStatus } from '../render/own-headers.ts';
import type { Finished } from '../render/page-entry.ts';

const SHORT: Readonly<Record<string, string>> = {
  json: 'application/json',
  xml: 'application/xml',
  rss: 'application/rss+xml',
  atom: 'application/atom+xml',
  text: 'text/plain',
  csv: 'text/csv',
};
const MARKUP = /^(?:[\w.+-]+\/(?:[\w.-]+\+)?xml|text\/html)$/;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json$/;
const TEXT = /^(?:text\/[\w.+-]+|application\/javascript)$/;

/** A browser that is sent to a resource runs nothing of it. */
const POLICY: Header = ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"];

/** The media type that a resource's `type` stands for. */
function mediaType(type: string): string {
  return SHORT[type] ?? type.toLowerCase();
}

/** Errors: `E_RESOURCE`, `E_ANSWER`, those of the author's functions and of the renderer. */
export async function renderResource(
  template: string,
  resource: AnyResource,
  props: unknown,
  options: RenderOptions,
): Promise<Finished> {
  const type = mediaType(resource.type);
  const status = ownStatus(template, resource.status?.(props) ?? 200);
  const value = resource.body === undefined ? props : resource.body(props);
  const bytes = await bytesOf(template, type, value, options);
  const own = resource.headers === undefined ? [] : ownHeaders(template, resource.headers(props));
  return { ...writtenAs(type), status, html: bytes, headers: [...headersOf(resource), ...own] };
}

/** What is not there, or failed, told to programs (RFC 9457). */
export function resourceProblem(resource: AnyResource, status: number, body: object): Finished {
  const html = Buffer.from(`${JSON.stringify(body)}\n`);
  return { status, html, headers: headersOf(resource), type: 'application/problem+json', compress: true };
}

function writtenAs(type: string): Pick<Finished, 'type' | 'compress'> {
  const isText = MARKUP.test(type) || TEXT.test(type);
  return {
    type: isText ? `${type}; charset=utf-8` : type,
    compress: isText || JSON_TYPE.test(type),
  };
}

function headersOf({ from }: AnyResource): readonly Header[] {
  return from === 'anywhere' ? [POLICY, ['access-control-allow-origin', '*']] : [POLICY];
}

async function bytesOf(
  template: string,
  type: string,
  value: unknown,
  options: RenderOptions,
): Promise<Buffer> {
  if (JSON_TYPE.test(type)) {
    const text: string | undefined = JSON.stringify(value);
    if (text === undefined)
      throw new ResourceError(template, `its body is ${typeof value}, which is no JSON`);
    return Buffer.from(text, 'utf8');
  }
  if (MARKUP.test(type)) return renderToBuffer(value as Node, options);
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (value instanceof Uint8Array) return Buffer.from(value);
  throw new ResourceError(template, `its type is ${type}, and its body is neither text nor bytes`);
}
