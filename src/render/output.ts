import { type ByteText, bytesOf, isPlain } from './byte-text.ts';
import { escapeHtml } from './escape.ts';
import { AttributeStep, type Chunk, noMarkup, type Seam, type Tag, tagOf } from './seam.ts';
import { admits, type TemplateHole, type TemplateShape, takes } from './template-shape.ts';
import type { Trusted } from './trust.ts';

/** V8 keeps a longer string among its large objects, each in memory of its own that has to be asked for and given back. */
const chunkLength = 120_000;

/**
 * The page as it grows: text that was written, and the seam of markup after it, which is added together with
 * the next text. Characters are bytes (see ByteText), so `length` is a position in the bytes.
 */
export class Output {
  #bytes: ByteText = '';
  #seam = noMarkup;
  #isAscii = true;
  /** What was written before `#bytes`. */
  #chunks: ByteText[] = [];
  #chunked = 0;

  get length(): number {
    return this.#chunked + this.#bytes.length + this.#seam.text.length;
  }

  /** Writes `<tag`, if it is a valid one. */
  openTag(key: string): Tag {
    const step = this.#seam.tags.get(key);
    if (step === undefined) return this.#newTag(key);
    this.#seam = step.next;
    return step.tag;
  }

  /** The place of an attribute of the tag that is open. Nothing is written yet. */
  attribute(tag: Tag, key: string): AttributeStep {
    const step = this.#seam.attributes.get(key);
    if (step !== undefined && step.attribute.tag === tag.rule) return step;
    return this.#newAttribute(tag, key);
  }

  /** Writes ` name="value"` if this value was written at this place before, and so found harmless. */
  knownValue(step: AttributeStep, value: string): boolean {
    const next = step.after(value);
    if (next === undefined) return false;
    this.#seam = next;
    return true;
  }

  /** Writes ` name="value"`. The value has been checked. */
  value(step: AttributeStep, value: string): void {
    const next = step.learn(value);
    if (next === undefined) this.vouchedValue(step, value);
    else this.#seam = next;
  }

  /** The same for a value that holds for this once. */
  vouchedValue(step: AttributeStep, value: string): void {
    this.#seam = step.open;
    this.text(value);
    this.#seam = step.attribute.ended;
  }

  /** Writes ` name`. */
  bareAttribute(step: AttributeStep): void {
    const next = step.bare ?? this.#seam.with(step.attribute.rule.bare);
    if (next.isKept) step.bare = next;
    this.#seam = next;
  }

  /** Writes `>`. */
  endTag(): void {
    const next = this.#seam.inside;
    if (next !== undefined) {
      this.#seam = next;
      return;
    }
    this.#makeRoom();
    const seam = this.#seam;
    this.#seam = seam.inside ?? seam.with('>');
    if (this.#seam.isKept) seam.inside = this.#seam;
  }

  /** Writes `</tag>`. */
  closeTag(tag: Tag): void {
    let next = this.#seam.ends.get(tag.key);
    if (next === undefined) {
      this.#makeRoom();
      const seam = this.#seam;
      next = seam.ends.get(tag.key);
      if (next === undefined) {
        next = seam.with(tag.rule.close);
        if (next.isKept) seam.ends.set(tag.key, next);
      }
    }
    this.#seam = next;
  }

  /** Writes `text</tag>`: all that is in most elements. */
  textAndClose(tag: Tag, text: string): void {
    const { content } = this.#seam;
    if (!content.isHopeless) {
      const next = content.after(text) ?? this.#newConstant(text);
      if (next !== undefined) {
        this.#seam = next;
        this.closeTag(tag);
        return;
      }
    }
    this.text(text);
    this.#seam = tag.ended;
  }

  /** Writes a static piece of a template. One that is not ASCII is announced by `beyondAscii`. */
  chunk(chunk: Chunk): void {
    this.#seam = chunk.after(this.#seam) ?? this.#newChunk(chunk);
  }

  /**
   * Writes a template from its hole number `from` on, as far as the values are text that may stand there. The number of the
   * first hole that needs more than that; its chunk is not yet written. The loop that most of a page is made by.
   */
  template({ holes }: TemplateShape, values: readonly unknown[], from: number): number {
    let at = from;
    for (; at < holes.length; at++) {
      const hole = holes[at] as TemplateHole;
      const value = values[hole.index];
      if (typeof value === 'string') {
        if (!admits(hole, value)) break;
        this.#seam = hole.toValue.after(this.#seam) ?? this.#newChunk(hole.toValue);
        this.text(value);
      } else if (typeof value === 'number' && hole.takes === takes.anyText) {
        this.#seam = hole.toValue.after(this.#seam) ?? this.#newChunk(hole.toValue);
        this.plain(String(value));
      } else break;
      this.#seam = hole.ended;
    }
    return at;
  }

  /** What is written next has characters that take more than one byte. */
  beyondAscii(): void {
    this.#isAscii = false;
  }

  /** Text, or the inside of a quoted attribute. */
  text(text: string): void {
    if (isPlain(text)) this.plain(text);
    else this.raw(escapeHtml(text));
  }

  /** What is ASCII and needs no escaping, such as a number. */
  plain(bytes: ByteText): void {
    const all = this.#bytes + this.#seam.text + bytes;
    this.#seam = noMarkup;
    this.#bytes = all;
    if (all.length > chunkLength) this.#endChunk();
  }

  /** HTML as it is. */
  raw(html: string, bytes: ByteText = bytesOf(html)): void {
    // What is not ASCII takes more bytes than it has characters.
    if (bytes.length !== html.length) this.#isAscii = false;
    this.plain(bytes);
  }

  trusted(html: Trusted): void {
    this.raw(html.toString(), html.bytes);
  }

  /** HTML that was rendered to bytes before. */
  rendered(html: Uint8Array): void {
    this.#isAscii = false;
    this.plain(Buffer.from(html.buffer, html.byteOffset, html.byteLength).toString('latin1'));
  }

  /** Takes all that was written, and begins anew. */
  take(): ByteText {
    const bytes = this.#all();
    this.#chunks = [];
    this.#chunked = 0;
    this.#bytes = '';
    this.#seam = noMarkup;
    return bytes;
  }

  toBuffer(): Buffer {
    const last = this.#bytes + this.#seam.text;
    // Memory of its own: what is rendered is kept, and a view of a pool would have to be copied.
    const buffer = Buffer.allocUnsafeSlow(this.#chunked + last.length);
    let at = 0;
    for (const chunk of this.#chunks) at += buffer.write(chunk, at, 'latin1');
    buffer.write(last, at, 'latin1');
    return buffer;
  }

  toString(): string {
    return this.#isAscii ? this.#all() : this.toBuffer().toString();
  }

  #all(): ByteText {
    return this.#chunks.join('') + this.#bytes + this.#seam.text;
  }

  #endChunk(): void {
    this.#chunks.push(this.#bytes);
    this.#chunked += this.#bytes.length;
    this.#bytes = '';
  }

  /** A seam does not grow without end: what it has is written, and the next begins. */
  #makeRoom(): void {
    if (this.#seam.isFull) this.plain('');
  }

  #newTag(key: string): Tag {
    const tag = tagOf(key);
    if (!tag.rule.valid) return tag;
    this.#makeRoom();
    const seam = this.#seam;
    let step = seam.tags.get(key);
    if (step === undefined) {
      step = { tag, next: seam.with(tag.rule.open) };
      if (step.next.isKept) seam.tags.set(key, step);
    }
    this.#seam = step.next;
    return tag;
  }

  #newAttribute(tag: Tag, key: string): AttributeStep {
    this.#makeRoom();
    const seam = this.#seam;
    const step = seam.attributes.get(key);
    if (step !== undefined && step.attribute.tag === tag.rule) return step;
    const attribute = tag.attribute(key);
    const { open } = attribute.rule;
    // Where two tags come to the same seam, it belongs to the attributes of the first.
    const made = new AttributeStep(attribute, step === undefined ? seam.with(open) : seam.onceWith(open));
    if (made.open.isKept) seam.attributes.set(key, made);
    return made;
  }

  /** A seam that ends with a chunk that never came here before. */
  #newChunk(chunk: Chunk): Seam {
    if (chunk.isLong) {
      this.plain(chunk.text);
      return noMarkup;
    }
    this.#makeRoom();
    return chunk.after(this.#seam) ?? chunk.join(this.#seam);
  }

  #newConstant(text: string): Seam | undefined {
    const seam = this.#seam;
    if (!seam.content.repeats(text) || !isPlain(text)) return undefined;
    const next = seam.with(text);
    seam.content.remember(text, next);
    return next;
  }
}
