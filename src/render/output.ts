import { type ByteText, bytesOf, isPlain } from './byte-text.ts';
import { escapeHtml } from './escape.ts';
import { Seam } from './seam.ts';
import { type TagRule, tagRule } from './tags.ts';
import type { Trusted } from './trust.ts';

/** Every page begins here. */
const noMarkup = new Seam('');

/**
 * The page as it grows: text that was written, and the seam of markup after it, which is added together with
 * the next text. Characters are bytes (see ByteText), so `length` is a position in the bytes.
 */
export class Output {
  #bytes: ByteText = '';
  #seam = noMarkup;
  #isAscii = true;

  get length(): number {
    return this.#bytes.length + this.#seam.text.length;
  }

  /** Writes `<tag`, if it is a valid one. */
  openTag(tag: string): TagRule {
    const step = this.#seam.tags.get(tag);
    if (step === undefined) return this.#newTag(tag);
    this.#seam = step.next;
    return step.rule;
  }

  /** Markup of the renderer's own. */
  piece(piece: string): void {
    const next = this.#seam.pieces.get(piece);
    if (next === undefined) this.#newPiece(piece);
    else this.#seam = next;
  }

  /** The text of an attribute of which an application has few: classes. */
  literal(text: string): void {
    const next = this.#seam.literals.get(text);
    if (next === undefined) this.#newLiteral(text);
    else this.#seam = next;
  }

  /** Text, or the inside of a quoted attribute. */
  text(text: string): void {
    if (isPlain(text)) this.plain(text);
    else this.raw(escapeHtml(text));
  }

  /** What is ASCII and needs no escaping, such as a number. */
  plain(bytes: ByteText): void {
    this.#bytes = this.#bytes + this.#seam.text + bytes;
    this.#seam = noMarkup;
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
    const bytes = this.#bytes + this.#seam.text;
    this.#bytes = '';
    this.#seam = noMarkup;
    return bytes;
  }

  toBuffer(): Buffer {
    return Buffer.from(this.#bytes + this.#seam.text, 'latin1');
  }

  toString(): string {
    return this.#isAscii ? this.#bytes + this.#seam.text : this.toBuffer().toString();
  }

  #newTag(tag: string): TagRule {
    const rule = tagRule(tag);
    if (!rule.valid) return rule;
    const next = this.#seam.grow(rule.open);
    if (next === undefined || !this.#seam.tags.set(tag, { rule, next })) this.plain(rule.open);
    else this.#seam = next;
    return rule;
  }

  #newPiece(piece: string): void {
    const next = this.#seam.grow(piece);
    if (next === undefined || !this.#seam.pieces.set(piece, next)) this.plain(piece);
    else this.#seam = next;
  }

  #newLiteral(text: string): void {
    const next = isPlain(text) ? this.#seam.grow(text) : undefined;
    if (next === undefined || !this.#seam.literals.set(text, next)) this.text(text);
    else this.#seam = next;
  }
}
