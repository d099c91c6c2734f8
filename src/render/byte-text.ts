/**
 * A page is put together as a string whose characters are the bytes of its UTF-8, so every character is below
 * 256 whatever the page says. One em dash would else make V8 keep the whole page with two bytes a
 * character, and turning that into bytes takes three times as long.
 */
export type ByteText = string;

const special = /[&<>"'\u0080-\uffff]/;
const beyondAscii = /[\u0080-\uffff]/;

/** True for text that is its own ByteText, escaped or not: the most common kind by far. */
export function isPlain(text: string): boolean {
  return !special.test(text);
}

export function bytesOf(text: string): ByteText {
  return beyondAscii.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}
