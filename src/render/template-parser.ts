// Where the holes of a template are: its static strings are read once, as a browser would read them. A hole may stand
// where what is written can't become markup: among children, or as the value of an attribute or a part of one. Every
// other place is refused, and so is static markup that this reader and a browser could take for different things.
import { attributeRule } from './attribute-names.ts';
import { RenderError } from './errors.ts';
import { type Tag, tagOf } from './seam.ts';
import { type HoleAttribute, TemplateHole, TemplateShape } from './template-shape.ts';

const startTag = /<([a-zA-Z][a-zA-Z0-9-]*)(?=[\s/>])/y;
const endTag = /<\/([a-zA-Z][a-zA-Z0-9-]*)\s*>/y;
const betweenAttributes = /[\s/]*/y;
const attributeName = /[^\s"'<>/=]+/y;
const equals = /\s*=\s*/y;
const unquoted = /[^\s"'=<>`]+/y;
const doctype = /<!doctype[^<>]*>/iy;
/** Elements whose content is text in which no element begins. */
const textOnly = new Set(['title', 'textarea']);
const beyondAscii = /[\u0080-\uffff]/;

/** Errors: RenderError E_TEMPLATE, with the place in the template and the way out. */
export function parseTemplate(strings: readonly string[]): TemplateShape {
  return new TemplateParser(strings).parse();
}

interface StartTag {
  readonly tag: Tag;
  readonly names: Record<string, true>;
  /** The static `type`: what a script element holds. */
  type: string | undefined;
  isClosed: boolean;
}

class TemplateParser {
  readonly #strings: readonly string[];
  /** Where the reader is: in which string, and at which character of it. */
  #index = 0;
  #at = 0;
  /** What is written since the last hole. */
  #chunk = '';
  /** Where the content of an element begins that must not begin with a newline, if that is in this string. */
  #preBegins: number | undefined;
  readonly #open: string[] = [];
  readonly #holes: TemplateHole[] = [];
  /** How many the holes up to here take. */
  #values = 0;
  readonly #scripts: string[] = [];

  constructor(strings: readonly string[]) {
    this.#strings = strings;
  }

  parse(): TemplateShape {
    while (this.#text()) this.#markup();
    return new TemplateShape({
      holes: this.#holes,
      end: this.#chunk,
      scripts: this.#scripts,
      isAscii: !this.#strings.some((each) => beyondAscii.test(each)),
    });
  }

  get #string(): string {
    return this.#strings[this.#index] ?? '';
  }

  /** At a hole, or at the end of the template. */
  get #isAtEnd(): boolean {
    return this.#at >= this.#string.length;
  }

  get #isLast(): boolean {
    return this.#index === this.#strings.length - 1;
  }

  /** Reads text and the holes in it. False: the template ends. */
  #text(): boolean {
    for (;;) {
      const next = this.#string.indexOf('<', this.#at);
      this.#take(next < 0 ? this.#string.length : next);
      if (next >= 0) return true;
      if (this.#isLast) return false;
      this.#addHole();
    }
  }

  #addHole(attribute?: HoleAttribute): void {
    const place = this.#open.join('.') || '<>';
    const comesFirstInPre = this.#preBegins === this.#at && attribute === undefined;
    const before = this.#chunk;
    this.#holes.push(new TemplateHole({ before, index: this.#values, place, attribute, comesFirstInPre }));
    this.#values += attribute?.parts === undefined ? 1 : attribute.parts.length - 1;
    this.#chunk = '';
    if (attribute === undefined) this.#goOn();
  }

  /** To what stands behind the hole. */
  #goOn(): void {
    this.#index++;
    this.#preBegins = undefined;
    this.#at = 0;
  }

  #take(to: number): void {
    this.#chunk += this.#string.slice(this.#at, to);
    this.#at = to;
  }

  /** What `pattern` finds here, which is then behind the reader. */
  #read(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#string);
    if (found === null) return undefined;
    this.#at += found[0].length;
    return found;
  }

  #markup(): void {
    const string = this.#string;
    const second = string.charAt(this.#at + 1);
    if (second === '!') this.#declaration();
    else if (second === '/') this.#endTag();
    else if (/[a-zA-Z]/.test(second)) this.#element();
    else if (second === '?') throw this.#refusal('"<?" begins nothing in HTML');
    else if (second === '') throw this.#refusal('what comes after "<" would be a tag name');
    else this.#take(this.#at + 1);
  }

  #declaration(): void {
    const string = this.#string;
    if (!string.startsWith('<!--', this.#at)) {
      const from = this.#at;
      if (this.#read(doctype) === undefined)
        throw this.#refusal('after "<!" only a comment or doctype may stand');
      this.#chunk += string.slice(from, this.#at);
      return;
    }
    const end = string.indexOf('-->', this.#at + 4);
    if (end < 0) throw this.#refusal('a comment takes no value and ends with "-->"');
    const comment = string.slice(this.#at + 4, end);
    if (/^-?>|--!>|<!--/.test(comment))
      throw this.#refusal('a comment may not hold ">" first, "--!>" or "<!--"');
    this.#take(end + 3);
  }

  #endTag(): void {
    const from = this.#at;
    const name = this.#read(endTag)?.[1];
    if (name === undefined) throw this.#refusal('an end tag is "</", a name and ">"');
    this.#chunk += this.#string.slice(from, this.#at);
    const opened = this.#open.lastIndexOf(name);
    if (opened >= 0) this.#open.length = opened;
  }

  #element(): void {
    const name = this.#read(startTag)?.[1];
    if (name === undefined) throw this.#refusal('a tag name is letters, digits and "-", and takes no value');
    this.#chunk += `<${name}`;
    const start: StartTag = { tag: tagOf(name), names: {}, type: undefined, isClosed: false };
    this.#open.push(name);
    this.#attributes(start);
    if (start.tag.rule.dropsNewline) this.#preBegins = this.#at;
    if (start.isClosed || start.tag.rule.isVoid) this.#open.pop();
    else if (start.tag.rule.isScript || name.toLowerCase() === 'style') this.#code(name, start.type);
    else if (textOnly.has(name.toLowerCase())) this.#textOnly(name);
  }

  #attributes(start: StartTag): void {
    for (;;) {
      const space = this.#read(betweenAttributes)?.[0] ?? '';
      if (this.#isAtEnd) {
        throw this.#refusal(
          this.#isLast
            ? 'the template ends inside a tag'
            : 'a value inside a tag must be that of an attribute, in quotes',
        );
      }
      if (this.#string.charAt(this.#at) === '>') {
        start.isClosed = space.endsWith('/');
        this.#chunk += `${space}>`;
        this.#at++;
        return;
      }
      const name = this.#read(attributeName)?.[0];
      if (name === undefined) throw this.#refusal('an attribute name may not hold quotes, "<" or "="');
      if (this.#isAtEnd) throw this.#refusal('an attribute name takes no value, and a tag ends with ">"');
      this.#note(start, name);
      if (this.#read(equals) === undefined) this.#chunk += space + name;
      else this.#value(start, name, space);
    }
  }

  #note({ names, tag }: StartTag, name: string): void {
    const key = attributeRule(name).name;
    if (Object.hasOwn(names, key)) throw this.#refusal(`"${name}" is given twice to <${tag.key}>`);
    names[key] = true;
  }

  #value(start: StartTag, name: string, space: string): void {
    const quote = this.#string.charAt(this.#at);
    if (quote === '"' || quote === "'") {
      this.#at++;
      const parts = this.#quoted(quote);
      const [only] = parts;
      if (parts.length === 1 && only !== undefined) this.#staticValue(start, name, space, only, quote);
      else this.#attributeHole(start, name, parts);
    } else if (this.#isAtEnd && !this.#isLast) {
      this.#goOn();
      if (!/^[\s/>]/.test(this.#string)) throw this.#refusal(`the value of "${name}" needs quotes`);
      this.#attributeHole(start, name, ['', '']);
    } else {
      const value = this.#read(unquoted)?.[0];
      if (value === undefined || this.#isAtEnd) throw this.#refusal(`the value of "${name}" needs quotes`);
      this.#staticValue(start, name, space, value, '');
    }
  }

  /** The static parts of a quoted value, with a hole between each two. */
  #quoted(quote: string): string[] {
    const parts: string[] = [];
    for (;;) {
      const end = this.#string.indexOf(quote, this.#at);
      parts.push(this.#string.slice(this.#at, end < 0 ? this.#string.length : end));
      if (end >= 0) {
        this.#at = end + 1;
        return parts;
      }
      if (this.#isLast) throw this.#refusal('the template ends inside an attribute');
      this.#goOn();
    }
  }

  #staticValue(start: StartTag, name: string, space: string, value: string, quote: string): void {
    if (name.toLowerCase() === 'type') start.type = value;
    this.#chunk += `${space}${name}=${quote}${value}${quote}`;
  }

  #attributeHole({ tag, names }: StartTag, name: string, parts: readonly string[]): void {
    const isWhole = parts.length === 2 && parts[0] === '' && parts[1] === '';
    this.#addHole({
      tag,
      name,
      names,
      parts: isWhole ? undefined : parts.map((part) => this.#decoded(part)),
    });
  }

  /** The characters that a static part of a value stands for, so that the whole can be looked at. */
  #decoded(part: string): string {
    return part.replace(/&(?:#|[a-zA-Z])[^;\s&]*;?/g, (reference) => {
      const character = references.get(reference);
      if (character !== undefined) return character;
      // Without a semicolon it may be one parameter of several: ?a=1&b=2.
      if (!reference.endsWith(';') && !reference.startsWith('&#')) return reference;
      throw this.#refusal(`beside a value write the character itself, not ${reference}`);
    });
  }

  /** A script or style element: code, in which nothing can be escaped. */
  #code(name: string, type: string | undefined): void {
    const end = new RegExp(`</${name}(?=[\\s/>])`, 'ig');
    end.lastIndex = this.#at;
    const at = end.exec(this.#string)?.index;
    if (at === undefined) {
      throw this.#refusal(
        `no value may stand in a <${name}>: write the element as a value, { ${name}: { html: trusted(...) } }`,
      );
    }
    const code = this.#string.slice(this.#at, at);
    if (code.includes('<!--')) throw this.#refusal(`"<!--" changes where a <${name}> ends`);
    const isData = type?.includes('/') === true && !/script/i.test(type);
    if (tagOf(name).rule.isScript && code !== '' && !isData) this.#scripts.push(code);
    this.#take(at);
  }

  #textOnly(name: string): void {
    const end = new RegExp(`</${name}\\s*>`, 'iy');
    while (this.#text()) {
      end.lastIndex = this.#at;
      if (end.test(this.#string)) return;
      throw this.#refusal(`a <${name}> holds text only`);
    }
    throw this.#refusal(`the template ends inside a <${name}>`);
  }

  #refusal(problem: string): RenderError {
    const near = this.#string.slice(Math.max(0, this.#at - 30), this.#at + 10) || 'a value';
    return new RenderError(
      'E_TEMPLATE',
      this.#open.join('.') || 'root',
      `html: ${problem}, near ${JSON.stringify(near)}`,
    );
  }
}

const references: ReadonlyMap<string, string> = new Map([
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&quot;', '"'],
  ['&#39;', "'"],
  ['&apos;', "'"],
]);
