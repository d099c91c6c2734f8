import { type AttributeGuard, guardOf } from './guards.ts';

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
  /** What its attributes may not be, beyond what holds for every tag. */
  readonly guard: AttributeGuard | undefined;
}

const validTag = /^[a-zA-Z][a-zA-Z0-9-]*$/;
const voidTags = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '));
const codeTags = new Set(['script', 'style']);
const newlineDroppingTags = new Set(['pre', 'textarea', 'listing']);

/** Made once for each tag: whoever asks keeps it. */
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
    guard: guardOf(name),
  };
}
