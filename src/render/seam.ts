import type { TagRule } from './tags.ts';

/** Where a tag leads to: what is known of it, and the seam with `<tag` at its end. */
export interface TagStep {
  readonly rule: TagRule;
  readonly next: Seam;
}

/** Far more than an application has; reached only if names come from data, and then pages cost a little more. */
const mostSeams = 8192;
const mostWays = 64;
const longest = 1024;
let seams = 0;

/** Ways on from a seam. The first two are kept in fields: at most places in a page there are no more. */
class Ways<To> {
  #key0: string | undefined;
  #to0: To | undefined;
  #key1: string | undefined;
  #to1: To | undefined;
  #others: Map<string, To> | undefined;

  get(key: string): To | undefined {
    if (this.#key0 === key) return this.#to0;
    if (this.#key1 === key) return this.#to1;
    return this.#others?.get(key);
  }

  /** False if there are too many already. */
  set(key: string, to: To): boolean {
    if (this.#key0 === undefined) {
      this.#key0 = key;
      this.#to0 = to;
    } else if (this.#key1 === undefined) {
      this.#key1 = key;
      this.#to1 = to;
    } else {
      this.#others ??= new Map();
      if (this.#others.size >= mostWays) return false;
      this.#others.set(key, to);
    }
    return true;
  }
}

/**
 * The markup between two pieces of text, such as `</td><td class="name">`. Pages repeat the same few hundred
 * of these, so each is made once and remembered as a state, and what is written next leads to the next state,
 * as in an automaton: a comparison then stands for looking up a name, checking it and adding strings, and
 * the page is put together from a third of the pieces. The memory is shared by all renders and bounded; it holds
 * tags, names and classes, which are the same for everybody.
 */
export class Seam {
  readonly text: string;
  readonly tags = new Ways<TagStep>();
  readonly pieces = new Ways<Seam>();
  readonly literals = new Ways<Seam>();

  constructor(text: string) {
    this.text = text;
  }

  /** The seam with `piece` at its end, unless there are too many seams or it would be too long. */
  grow(piece: string): Seam | undefined {
    if (seams >= mostSeams || this.text.length + piece.length > longest) return undefined;
    seams++;
    return new Seam(this.text + piece);
  }
}
