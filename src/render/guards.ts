import { isLocalUrl, isOwnScript } from './url.ts';

/**
 * What plain data may not say in the attributes of one tag, beyond the rules for all tags. Data that reaches
 * a child slot is markup (an element is a plain object, and so is parsed JSON), so every tag that can load or
 * start a program must be harmless in itself; what is more than that takes `trusted()`.
 *
 * Given the attribute's name in lower case and its text; gives the reason for a refusal.
 */
export type AttributeGuard = (name: string, text: string, props: object) => string | undefined;

const addresses = new Set(['src', 'href', 'xlink:href', 'data', 'code', 'codebase', 'archive', 'classid']);

function script(name: string, text: string): string | undefined {
  if (!addresses.has(name) || isOwnScript(text)) return undefined;
  return 'a script from anywhere but a plain path to a .js file of this site';
}

/** Documents and plug-ins inside the page: those of this site, not a stranger's. */
function embedded(name: string, text: string): string | undefined {
  if (!addresses.has(name) || isLocalUrl(text)) return undefined;
  return 'an embedded document from another site';
}

/** Where relative addresses lead, those of scripts too. */
function base(name: string, text: string): string | undefined {
  return name !== 'href' || text === '/' ? undefined : 'a base address other than "/"';
}

/** `http-equiv` makes a meta element act like a response header: refresh, content type, policy. */
function meta(name: string, text: string, props: object): string | undefined {
  if (name === 'charset' && !/^utf-?8$/i.test(text)) return 'a charset other than utf-8';
  if (name !== 'content' || /^\d*$/.test(text)) return undefined;
  // As the renderer reads them: inherited ones, too, which is what Object.assign makes of "__proto__" in JSON.
  for (const key in props) {
    if (key.toLowerCase() === 'http-equiv') return 'the content of an http-equiv header';
  }
  return undefined;
}

/** SVG can animate an attribute into something that was refused when the element was written. */
function animation(name: string, text: string): string | undefined {
  if (name !== 'attributename' || !/href|src|^\s*on|style/i.test(text)) return undefined;
  return 'an animation of an address, a handler or a style';
}

const embedding = new Set('iframe frame embed object applet portal fencedframe use import'.split(' '));

const guards: ReadonlyMap<string, AttributeGuard> = new Map([
  ['script', script],
  ['base', base],
  ['meta', meta],
  ...[...embedding].map((tag): [string, AttributeGuard] => [tag, embedded]),
  ...['animate', 'set', 'animatetransform', 'animatemotion', 'animatecolor', 'handler', 'listener'].map(
    (tag): [string, AttributeGuard] => [tag, animation],
  ),
]);

export function isEmbedding(tag: string): boolean {
  return embedding.has(tag);
}

export function guardOf(tag: string): AttributeGuard | undefined {
  return guards.get(tag);
}
