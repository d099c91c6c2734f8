import { type AttributeGuard, guardOf, isEmbedding } from './guards.ts';

/** What the renderer knows of a tag. */
export interface TagRule {
  readonly key: string;
  readonly valid: boolean;
  /** `<p` and `</p>`. */
  readonly open: string;
  readonly close: string;
  /** Its content is not just written. What is neither of the next two is code: unescaped, and only trusted text. */
  readonly isSpecial: boolean;
  /** Has no content and no end tag. */
  readonly isVoid: boolean;
  /** The parser drops one newline after its start tag, so one that is meant must be written twice. */
  readonly dropsNewline: boolean;
  /** What it shows is a picture, even one in SVG cannot run anything. */
  readonly isImage: boolean;
  /** A name of HTML or SVG, and so not that of a field of some class. */
  readonly isKnown: boolean;
  /** Its content is a script. */
  readonly isScript: boolean;
  /** It shows a document; an address that it must not have is left out. */
  readonly isEmbedding: boolean;
  /** What its attributes may not be, beyond what holds for every tag. */
  readonly guard: AttributeGuard | undefined;
}

const validTag = /^[a-zA-Z][a-zA-Z0-9-]*$/;
const voidTags = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '));
const codeTags = new Set(['script', 'style']);
const knownTags = new Set(
  (
    'a abbr address area article aside audio b base bdi bdo blockquote body br button canvas caption circle cite code col ' +
    'colgroup dd defs del details dfn dialog div dl dt em fieldset figcaption figure footer form g h1 h2 h3 h4 h5 h6 head ' +
    'header hgroup hr html i iframe img input ins kbd label legend li line link main map mark menu meta nav noscript ol ' +
    'optgroup option p path picture polygon polyline pre q rect s samp script search section select small source span ' +
    'strong style sub sup svg table tbody td template textarea tfoot th thead title tr track u ul use var video wbr'
  ).split(' '),
);
const newlineDroppingTags = new Set(['pre', 'textarea', 'listing']);

/** Made once for each tag: the caller keeps it. */
export function tagRule(key: string): TagRule {
  const name = key.toLowerCase();
  return {
    key,
    valid: validTag.test(key),
    open: `<${key}`,
    close: `</${key}>`,
    isSpecial: voidTags.has(name) || codeTags.has(name) || newlineDroppingTags.has(name),
    isVoid: voidTags.has(name),
    dropsNewline: newlineDroppingTags.has(name),
    isImage: name === 'img',
    isKnown: knownTags.has(key),
    isScript: name === 'script',
    isEmbedding: isEmbedding(name),
    guard: guardOf(name),
  };
}
