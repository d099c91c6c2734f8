// A file from disk as an endpoint's answer: with conditions and ranges, so that a download that broke off goes on.
import { isAbsolute } from 'node:path';
import { EndpointError } from './errors.ts';

export interface DownloadOptions {
  /** What it is saved as. Default: the file's own name. */
  readonly name?: string;
  /** Media type. Default: by the name's ending. */
  readonly type?: string;
  /**
   * Shown in the browser in the place of saved. It is sandboxed then: what came from a stranger may be HTML whatever it is
   * called, and would run as a page of this site.
   */
  readonly inline?: boolean;
}

const madeHere: unique symbol = Symbol('coherent.download');

/** Made by `download()` only. */
export interface Download extends DownloadOptions {
  readonly [madeHere]: true;
  readonly file: string;
}

/** `file`: an absolute path that the application has made itself, never a visitor's. One that is not there is 404. Errors: `E_ENDPOINT`. */
export function download(file: string, options: DownloadOptions = {}): Download {
  if (!isAbsolute(file))
    throw new EndpointError(`download() was given '${file}', which is no absolute path.`);
  return Object.freeze({ ...options, [madeHere]: true as const, file });
}

export function isDownload(value: unknown): value is Download {
  return typeof value === 'object' && value !== null && madeHere in value;
}
