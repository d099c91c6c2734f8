import { kind } from './attribute-names.ts';
import { bytesOf } from './byte-text.ts';
import { Chunk, noMarkup, type Seam, type Tag } from './seam.ts';
import { isHarmlessStyle } from './style.ts';
import { isHarmlessUrl } from './url.ts';

/** What text may stand in a hole without more than escaping. Numbers, for the loop that most of a page is made by. */
export const takes = {
  anyText: 0,
  /** Nothing but text that a declaration holds: no parentheses. */
  plainStyle: 1,
  harmlessUrl: 2,
  harmlessPicture: 3,
  /** Everything has to be looked at. */
  none: 4,
} as const;

type Takes = (typeof takes)[keyof typeof takes];

export interface HoleOptions {
  /** What is written before it. */
  readonly before: string;
  /** Of its first value. */
  readonly index: number;
  readonly place: string;
  readonly attribute?: HoleAttribute | undefined;
  readonly comesFirstInPre?: boolean | undefined;
}

/** One place in a template that a value is written to. */
export class TemplateHole {
  readonly before: Chunk;
  /** `before`, and the beginning of the attribute that it is the value of. */
  readonly toValue: Chunk;
  /** What stands behind a value of text. */
  readonly ended: Seam;
  readonly takes: Takes;
  /** Which of the template's values stands here; the first of them, where there are several. */
  readonly index: number;
  /** The attribute that it is the value of. Undefined: it stands among children. */
  readonly attribute: HoleAttribute | undefined;
  /** Stands first in an element whose first newline the parser drops. */
  readonly comesFirstInPre: boolean;
  /** The tags around it in its template: `tr.td`. */
  readonly place: string;

  constructor({ before, index, place, attribute, comesFirstInPre = false }: HoleOptions) {
    const of = attribute?.tag.attribute(attribute.name);
    this.before = new Chunk(bytesOf(before));
    this.toValue = of === undefined ? this.before : new Chunk(bytesOf(before + of.rule.open));
    this.ended = of === undefined ? noMarkup : of.ended;
    this.takes = attribute !== undefined ? takenBy(attribute) : comesFirstInPre ? takes.none : takes.anyText;
    this.index = index;
    this.attribute = attribute;
    this.comesFirstInPre = comesFirstInPre;
    this.place = place;
  }
}

/** Whether this text needs nothing but escaping there. False: perhaps. */
export function admits(hole: TemplateHole, text: string): boolean {
  switch (hole.takes) {
    case takes.anyText:
      return true;
    case takes.plainStyle:
      return text !== '' && isHarmlessStyle(text);
    case takes.harmlessUrl:
      return isHarmlessUrl(text);
    case takes.harmlessPicture:
      return isHarmlessUrl(text, true);
    default:
      return false;
  }
}

function takenBy({ tag, name, parts }: HoleAttribute): Takes {
  const { rule, isHarmless, isGuarded } = tag.attribute(name);
  // Classes are few, and remembered.
  if (parts !== undefined || isGuarded) return takes.none;
  if (isHarmless) return takes.anyText;
  if (rule.kind === kind.style) return takes.plainStyle;
  if (rule.kind !== kind.url) return takes.none;
  return tag.rule.isImage ? takes.harmlessPicture : takes.harmlessUrl;
}

/** An attribute of a template whose value is not static. */
export interface HoleAttribute {
  readonly tag: Tag;
  readonly name: string;
  /** The static text around its values: one more than there are values. Undefined: it is one value and nothing else. */
  readonly parts: readonly string[] | undefined;
  /** All attribute names of the element, for those that are refused beside others. The values say nothing. */
  readonly names: Readonly<Record<string, true>>;
}

export interface ShapeParts {
  readonly holes: readonly TemplateHole[];
  /** What is written after the last hole. */
  readonly end: string;
  /** The insides of script elements that a browser would run. */
  readonly scripts: readonly string[];
  readonly isAscii: boolean;
}

/** What all templates made at one place of the code have in common. */
export class TemplateShape {
  readonly holes: readonly TemplateHole[];
  readonly end: Chunk;
  /** In UTF-8. */
  readonly scripts: readonly Buffer[];
  readonly isAscii: boolean;

  constructor({ holes, end, scripts, isAscii }: ShapeParts) {
    this.holes = holes;
    this.end = new Chunk(bytesOf(end));
    this.scripts = scripts.map((text) => Buffer.from(text));
    this.isAscii = isAscii;
  }
}
