// The page around the page: doctype, <html lang>, <head>, the layout's body.
import type { Node } from '../../render/element.ts';
import { json, trusted } from '../../render/trust.ts';
import type { Head } from '../definitions/head.ts';
import type { HostInput } from '../definitions/host-input.ts';
import type { Layout, LayoutContext } from '../definitions/layout.ts';
import { type Chosen, NOTHING_CHOSEN } from '../definitions/variants.ts';

const DOCTYPE = trusted('<!doctype html>');

export interface DocumentParts {
  readonly head: Head;
  readonly content: Node;
  /** The route template. */
  readonly route: string;
  /** Of the page's inputs. Absent: it has none, as the page for a failure. */
  readonly variants?: Chosen;
  readonly host?: HostInput | undefined;
  /** Of the folders that the page lies in, beside the application's; the outermost first. */
  readonly layouts?: readonly Layout[];
}

export interface DocumentSettings {
  /** Around the page, the outermost first. */
  readonly layouts: readonly Layout[];
  readonly asset: (path: string) => string;
  /** `https://example.org`, without a slash; canonical paths become absolute with it. */
  readonly publicOrigin: string | undefined;
}

/** The whole document as one node. */
export function documentNode(parts: DocumentParts, settings: DocumentSettings): Node {
  const { layouts, asset, publicOrigin } = settings;
  const { head, content, route, variants = NOTHING_CHOSEN, host } = parts;
  const context: LayoutContext = { content, route, head, asset, variants, host: host?.value ?? '' };
  const body = layouts.reduceRight<Node>(
    (inside, { definition }) => definition.view({ ...context, content: inside }),
    layouts.length === 0 ? { main: { children: [content] } } : content,
  );
  const inward = [...layouts].reverse().map(({ definition }) => definition);
  const lang = head.lang ?? said(inward.find((each) => each.lang !== undefined)?.lang, context);
  const dir = head.dir ?? said(inward.find((each) => each.dir !== undefined)?.dir, context);
  return [
    DOCTYPE,
    {
      html: {
        lang: lang ?? 'en',
        dir,
        children: [
          {
            head: {
              children: [
                ...headNodes(head, publicOrigin),
                ...layouts.map(({ definition }) => definition.head?.(context)),
              ],
            },
          },
          { body: { children: [body] } },
        ],
      },
    },
  ];
}

/** Links that others follow: they must lead here from anywhere. */
const READ_ELSEWHERE = new Set(['alternate', 'next', 'prev']);

/** What a layout says once and for all, or by what the page is. */
function said<T extends string>(
  value: T | ((context: LayoutContext) => T) | undefined,
  context: LayoutContext,
): T | undefined {
  return typeof value === 'function' ? value(context) : value;
}

function headNodes(head: Head, publicOrigin: string | undefined): Node[] {
  const nodes: Node[] = [
    { meta: { charset: 'utf-8' } },
    { meta: { name: 'viewport', content: 'width=device-width, initial-scale=1' } },
    { title: { text: head.title } },
  ];
  // `!= null`: a row's column may be null, whatever the types say.
  if (head.description != null) nodes.push({ meta: { name: 'description', content: head.description } });
  if (head.robots != null) nodes.push({ meta: { name: 'robots', content: head.robots } });
  if (head.canonical != null)
    nodes.push({ link: { rel: 'canonical', href: absolute(head.canonical, publicOrigin) } });
  for (const [name, content] of Object.entries(head.openGraph ?? {})) {
    if (content == null) continue;
    const value = name === 'url' || name === 'image' ? absolute(content, publicOrigin) : content;
    nodes.push({ meta: { property: name.includes(':') ? name : `og:${name}`, content: value } });
  }
  for (const meta of head.meta ?? []) nodes.push({ meta: { ...meta } });
  for (const link of head.links ?? []) {
    const href = READ_ELSEWHERE.has(link.rel) ? absolute(link.href, publicOrigin) : link.href;
    nodes.push({ link: { ...link, href } });
  }
  for (const data of [head.jsonLd ?? []].flat())
    nodes.push({ script: { type: 'application/ld+json', html: json(data) } });
  return nodes;
}

/**
 * Never made from the Host header: a client could put their own host into a cached page. A path stays a path
 * of this site: `//host` in a row is not another site that the page calls its own.
 */
function absolute(address: string, publicOrigin: string | undefined): string {
  if (!address.startsWith('/')) return address;
  return `${publicOrigin ?? ''}${address.replace(/^[/\\\t\n\r]+/, '/')}`;
}
