// Content that is looked at as a whole before it is written.
import type { ByteText } from './byte-text.ts';
import { fill } from './pending.ts';
import { Trusted } from './trust.ts';
import type { Walk } from './walk.ts';

/** A script element that holds JSON or the like. What cannot be told here may be run. */
export function isDataBlock(type: unknown): boolean {
  const written = Trusted.is(type) ? type.toString() : type;
  return typeof written === 'string' && written.includes('/') && !/script/i.test(written);
}

/** Writes the inside of an element, which `finish` sees whole: when what it waits for is there. */
export function writeApart(walk: Walk, write: () => void, finish: (inside: ByteText) => ByteText): void {
  const { out, holes } = walk;
  const before = out.take();
  const firstHole = holes.length;
  write();
  const inside = holes.splice(firstHole);
  const content = out.take();
  out.plain(before);
  if (inside.length === 0) {
    out.plain(finish(content));
    return;
  }
  const bytes = fill(Buffer.from(content, 'latin1'), inside).then((filled) =>
    Buffer.from(finish(filled.toString('latin1')), 'latin1'),
  );
  bytes.catch(() => undefined);
  holes.push({ at: out.length, bytes });
}

/** The parser drops a newline that comes first in some elements; one that is meant is written twice. */
export function keepNewline(content: ByteText): ByteText {
  return content.startsWith('\n') ? `\n${content}` : content;
}
