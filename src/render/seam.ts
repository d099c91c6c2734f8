import { type AttributeRule, attributeRule, kind } from './attribute-names.ts';
import { type ByteText, isPlain } from './byte-text.ts';
import { NameTable } from './name-table.ts';
import { type TagRule, tagRule } from './tags.ts';

/** Far more than an application has; reached only if names come from data, and then pages cost more. */
const mostSeams = 8192;
const mostWays = 64;
const longest = 512;
/** How many values a place shows before it is taken for one that has no constant. */
const patience = 4;
let seams = 0;

/** Ways on from a seam, by a name. The first two are kept in fields: at most places in a page there are no more. */
class Ways<To, Key = string> {
  #key0: Key | undefined;
  #to0: To | undefined;
  #key1: Key | undefined;
  #to1: To | undefined;
  #others: Map<Key, To> | undefined;

  get(key: Key): To | undefined {
    if (this.#key0 === key) return this.#to0;
    if (this.#key1 === key) return this.#to1;
    return this.#others?.get(key);
  }

  set(key: Key, to: To): void {
    if (this.#to0 === undefined) {
      this.#key0 = key;
      this.#to0 = to;
    } else if (this.#to1 === undefined) {
      this.#key1 = key;
      this.#to1 = to;
    } else {
      this.#others ??= new Map();
      if (this.#others.size < mostWays) this.#others.set(key, to);
    }
  }
}

/**
 * The text that is always the same at one place of the pages, if there is one: a class, a type, the label of a button.
 * It is then markup like the tags around it. A value counts as constant when it comes twice in a row; a place where
 * that does not happen soon is not asked again, so that data costs no comparisons.
 */
class Constant {
  #value = '';
  #next: Seam | undefined;
  #patience = patience;

  /** The seam after `value`, if that is what always stands here. */
  after(value: string): Seam | undefined {
    return this.#next !== undefined && this.#value === value ? this.#next : undefined;
  }

  get isHopeless(): boolean {
    return this.#patience === 0;
  }

  /** Notes a value that was not expected. True if it came before, and may be remembered. */
  repeats(value: string): boolean {
    if (this.#patience === 0 || value.length > longest) return false;
    if (value !== '' && value === this.#value) return true;
    this.#patience--;
    this.#value = value;
    this.#next = undefined;
    return false;
  }

  remember(value: string, next: Seam): void {
    if (!next.isKept) return;
    this.#value = value;
    this.#next = next;
  }
}

/**
 * The markup between two pieces of text, such as `</td><td class="name">`. Pages repeat the same few hundred
 * of these, so each is made once and remembered as a state, and what is written next leads to the next state,
 * as in an automaton: a comparison then stands for looking up a name, checking it and adding strings, and
 * the page is put together from a third of the pieces. The memory is shared by all renders and bounded. It holds
 * tags, names, and values that came again and again at one place.
 */
export class Seam {
  readonly text: string;
  readonly tags = new Ways<TagStep>();
  readonly attributes = new Ways<AttributeStep>();
  readonly ends = new Ways<Seam>();
  /** What is between the tags here. */
  readonly content = new Constant();
  /** With `>` at its end. */
  inside: Seam | undefined;
  /** Others may lead here, and it may lead on. One that is not kept is used this once. */
  readonly isKept: boolean;

  private constructor(text: string, isKept: boolean) {
    this.text = text;
    this.isKept = isKept;
    if (isKept) seams++;
  }

  /** One that no other leads to. */
  static start(text: string): Seam {
    return new Seam(text, seams < mostSeams && text.length <= longest);
  }

  /** Too long to go on from; write it and begin anew. */
  get isFull(): boolean {
    return this.text.length > longest;
  }

  /** The seam with `piece` at its end. */
  with(piece: string): Seam {
    return new Seam(this.text + piece, this.isKept && seams < mostSeams && piece.length <= longest);
  }

  /** The same, for this once. */
  onceWith(piece: string): Seam {
    return new Seam(this.text + piece, false);
  }
}

/** Every page begins here, and each text ends here. */
export const noMarkup = Seam.start('');

/** A static piece of a template. It joins the markup before it, where both come together again and again. */
export class Chunk {
  readonly text: ByteText;
  /** So long that it is written by itself. */
  readonly isLong: boolean;
  readonly #joined = new Ways<Seam, Seam>();

  constructor(text: ByteText) {
    this.text = text;
    this.isLong = text.length > longest;
  }

  /** The seam with this piece at its end, where that was made before. */
  after(seam: Seam): Seam | undefined {
    return this.#joined.get(seam);
  }

  join(seam: Seam): Seam {
    const joined = seam.with(this.text);
    if (joined.isKept) this.#joined.set(seam, joined);
    return joined;
  }
}

/** Where a tag leads to: `<tag`. */
export interface TagStep {
  readonly tag: Tag;
  readonly next: Seam;
}

/** A tag with what its elements have in common. */
export class Tag {
  readonly key: string;
  readonly rule: TagRule;
  /** Its content is just written. */
  readonly isPlain: boolean;
  /** `</tag>`, after text. Where all elements of this tag meet again, whatever was in them. */
  readonly ended: Seam;
  readonly #attributes = new Ways<TagAttribute>();

  constructor(key: string) {
    this.key = key;
    this.rule = tagRule(key);
    this.isPlain = !this.rule.isSpecial;
    this.ended = Seam.start(this.rule.close);
  }

  attribute(key: string): TagAttribute {
    let attribute = this.#attributes.get(key);
    if (attribute === undefined) {
      attribute = new TagAttribute(this.rule, attributeRule(key));
      if (attribute.ended.isKept) this.#attributes.set(key, attribute);
    }
    return attribute;
  }
}

/** An attribute of elements of one tag: what is refused there depends on both. */
export class TagAttribute {
  readonly tag: TagRule;
  readonly rule: AttributeRule;
  /** Whatever text it is given, nothing can come of it. */
  readonly isHarmless: boolean;
  /** What is refused depends on the element's other attributes too, so that no result holds for the next. */
  readonly isGuarded: boolean;
  /** `"`, after a value. */
  readonly ended = Seam.start('"');

  constructor(tag: TagRule, rule: AttributeRule) {
    this.tag = tag;
    this.rule = rule;
    this.isGuarded = tag.guard !== undefined;
    this.isHarmless = rule.kind === kind.plain && !this.isGuarded;
  }
}

/** An attribute at one place: ` name="`, and the values it had there that were checked. */
export class AttributeStep {
  readonly attribute: TagAttribute;
  readonly open: Seam;
  /** With ` name` at its end. */
  bare: Seam | undefined;
  readonly constant = new Constant();
  /** Classes are few, so all of them are remembered. */
  readonly classes: Map<string, Seam> | undefined;

  constructor(attribute: TagAttribute, open: Seam) {
    this.attribute = attribute;
    this.open = open;
    this.classes = attribute.rule.isClass && attribute.isHarmless ? new Map() : undefined;
  }

  /** The seam after a value that was written here before, checked and escaped. */
  after(value: string): Seam | undefined {
    const next = this.constant.after(value);
    if (next !== undefined || this.classes === undefined) return next;
    const known = this.classes.get(value);
    if (known !== undefined) this.constant.remember(value, known);
    return known;
  }

  /** The same for a value that has just been checked, if it is one to be remembered. */
  learn(value: string): Seam | undefined {
    if (this.attribute.isGuarded) return undefined;
    if (this.classes === undefined) {
      if (!this.constant.repeats(value) || !isPlain(value)) return undefined;
    } else if (this.classes.size >= mostWays || value.length > longest || !isPlain(value)) return undefined;
    const next = this.open.with(`${value}"`);
    if (this.classes === undefined) this.constant.remember(value, next);
    else if (next.isKept) this.classes.set(value, next);
    return next;
  }
}

const tags = new NameTable<Tag>((key) => new Tag(key));

export function tagOf(key: string): Tag {
  return tags.get(key);
}
