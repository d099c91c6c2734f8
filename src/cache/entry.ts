import type { Bytes, DependencyKey, EpochMs, Milliseconds, Stamp } from '../core/units.ts';

/** Long enough to spare a database in trouble, too short to be taken for the page. */
export const INCOMPLETE_TTL_MS: Milliseconds = 2000;

/** What the stack must know of anything it keeps: what it was made from, when, and how long it may live. */
export interface Cached {
  /** Every dependency, those of all fragments inside included (the closure). Sorted, without repeats. */
  readonly keys: readonly DependencyKey[];
  readonly stamp: Stamp;
  /** Before the first read of anything in it, fragments inside included. */
  readonly createdMs: EpochMs;
  /** Until here a hit. */
  readonly freshUntilMs: EpochMs;
  /** Until here it may be served while a new one is made (stale-while-revalidate). >= freshUntilMs */
  readonly staleUntilMs: EpochMs;
  /** Until here it may be served when making a new one fails (stale-if-error). >= freshUntilMs */
  readonly errorUntilMs: EpochMs;
  /**
   * A read of its render failed, or had not ended. It stands in for a failure: kept for INCOMPLETE_TTL_MS at most, in L1
   * only, and it never takes the place of a complete one.
   */
  readonly incomplete?: true;
}

/** A response header: lower-case name, value. */
export type Header = readonly [name: string, value: string];

/**
 * A part of a page's body that is filled for each visitor (page/hole.ts). The bytes that stand there are the view without a
 * visitor, so that the body is whole as it is: for those who bring nothing that the hole reads it is sent like any other.
 */
export interface EntryHole {
  /** Of its declaration. */
  readonly name: string;
  /** Where its bytes begin and end in the identity body. Holes stand in the order of the page, and none in another. */
  readonly from: Bytes;
  readonly to: Bytes;
  /** JSON: read anew for each visitor, so that none is given an object that another one held. */
  readonly props: string;
}

/**
 * A cached response, immutable. The bodies are ready bytes: compressed once, when the entry was made.
 * Headers are the page's own (content-type, cache-control, location, vary, link ...), never those that
 * follow from the body or the moment (etag, content-length, content-encoding, date, cache-status, age).
 */
export interface PageEntry extends Cached {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly identity: Buffer;
  /** Undefined where compressing does not pay (small bodies, compressed media). */
  readonly gzip: Buffer | undefined;
  readonly brotli: Buffer | undefined;
  /** Opaque tag of the identity body, without quotes. Encodings add a suffix to it. */
  readonly tag: string;
  /** Absent where there are none. */
  readonly holes?: readonly EntryHole[];
  /** The files of public/ that it names, under their hashed names. Absent where there are none. */
  readonly assets?: readonly string[];
}

/** A cached piece of a page: its HTML as a string, ready to be spliced into the page around it. */
export interface FragmentEntry extends Cached {
  readonly html: string;
  /** Hashes of the inline scripts that were rendered in it, as a policy names them. Absent where there are none. */
  readonly scripts?: readonly string[];
  /** As of a page. */
  readonly assets?: readonly string[];
}
