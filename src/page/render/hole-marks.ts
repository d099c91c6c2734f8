// Where the holes of a page are. A hole leaves two marks in the page while it is rendered, around its view without a visitor;
// when the page is whole the marks are cut out and their places noted. A mark holds a secret of this process, so that no HTML
// that a page trusts, wherever it is from, can be taken for one; and none is ever sent.
import { randomBytes } from 'node:crypto';
import type { EntryHole } from '../../cache/entry.ts';
import type { FragmentCall } from '../../render/fragment-call.ts';
import { declaredHole, HoleUse } from '../definitions/hole.ts';
import { HoleError } from '../errors.ts';
import { propsText } from './hole-props.ts';

const SECRET = randomBytes(18).toString('base64url');
const BEGINS = `<!--hole ${SECRET} `;
const ENDS = `<!--/hole ${SECRET}-->`;

export interface Cut {
  readonly html: Buffer;
  readonly holes: readonly EntryHole[];
}

/** The holes of one render. */
export class HoleMarks {
  readonly #placed: { readonly use: HoleUse; readonly props: string }[] = [];

  /** Whether a render has none is known at its end. */
  get isEmpty(): boolean {
    return this.#placed.length === 0;
  }

  /** Cookies for which one of those placed so far is filled. */
  get cookies(): readonly string[] {
    return [...new Set(this.#placed.flatMap(({ use }) => use.hole.cookies))];
  }

  /** `anonymous` between its marks. Errors: `E_HOLE`. */
  place(use: HoleUse, anonymous: string | Promise<string>): string | Promise<string> {
    if (declaredHole(use.hole.name) !== use.hole)
      throw new HoleError(
        `Two holes are called '${use.hole.name}'. Give one of them another name: it names the part of the page that is filled.`,
      );
    const at = this.#placed.push({ use, props: propsText(use.hole.name, use.props) }) - 1;
    const marked = (html: string) => `${BEGINS}${at}-->${html}${ENDS}`;
    return typeof anonymous === 'string' ? marked(anonymous) : anonymous.then(marked);
  }

  /** Takes the marks out. What was placed and did not come into `marked` is left out. */
  cut(marked: Buffer): Cut {
    if (this.isEmpty) return { html: marked, holes: [] };
    const pieces: Buffer[] = [];
    const holes: EntryHole[] = [];
    let read = 0;
    let written = 0;
    const keep = (until: number) => {
      pieces.push(marked.subarray(read, until));
      written += until - read;
    };
    for (;;) {
      const begins = marked.indexOf(BEGINS, read);
      if (begins === -1) break;
      keep(begins);
      const numberAt = begins + BEGINS.length;
      const numberEnds = marked.indexOf('-->', numberAt);
      const placed = this.#placed[Number(marked.toString('latin1', numberAt, numberEnds))];
      read = numberEnds + 3;
      const ends = marked.indexOf(ENDS, read);
      if (placed === undefined || ends === -1) throw new Error('A mark of a hole has no end.');
      const from = written;
      keep(ends);
      read = ends + ENDS.length;
      holes.push(Object.freeze({ name: placed.use.hole.name, from, to: written, props: placed.props }));
    }
    keep(marked.length);
    return { html: Buffer.concat(pieces, written), holes: Object.freeze(holes) };
  }
}

/** Of what stands inside a hole: fragments, and no other hole. */
export function insideHole<T>(name: string, resolve: (call: FragmentCall) => T): (call: FragmentCall) => T {
  return (call) => {
    if (!(call.content instanceof HoleUse)) return resolve(call);
    throw new HoleError(
      `The hole '${call.content.hole.name}' stands inside the hole '${name}'. Put them side by side.`,
    );
  };
}

export function scriptInHole(name: string): HoleError {
  return new HoleError(
    `The hole '${name}' holds an inline script. The policy of its page is sent before it is filled: put the script into the page, or into a file.`,
  );
}
