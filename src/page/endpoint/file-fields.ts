// The files of an upload, as an endpoint declares them.
import type { Readable } from 'node:stream';
import type { Bytes } from '../../core/units.ts';

/** A file while it comes. */
export interface IncomingFile {
  /** The bytes. It fails where the client breaks off, the file is too large, or the upload is refused. */
  readonly stream: Readable;
  /** As the visitor's computer calls it, without a path. Never part of a path here. */
  readonly name: string;
  /** Found in its first bytes; of text, which has no such mark, what the browser says. */
  readonly type: string;
}

/** Where files go. */
export interface Sink<T> {
  /** Reads `stream` to its end. What it resolves with is given to the handler. */
  save(file: IncomingFile): Promise<T>;
  /** The upload was refused after this was saved. */
  discard?(saved: T): Promise<void>;
}

export interface FileField<T> {
  readonly sink: Sink<T>;
  /** Of each file. */
  readonly maxBytes: Bytes;
  /** Media types that are taken: `image/png`. A file whose bytes say something else is refused. Default: all. */
  readonly types?: readonly string[];
  /** So many files at most. Default 1. */
  readonly max?: number;
  /** So many at least. Default 1; 0 where a file may be left out. */
  readonly min?: number;
}

export type FileFields = Readonly<Record<string, FileField<unknown>>>;
