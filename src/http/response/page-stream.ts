// A slow page on its way: its shell first, the rest when it is there. Nothing is sent until the render has taken a
// moment, so that a page which is quick after all gets its status, its ETag and its length like any other.
//
// Once the shell is out the status is 200. What then goes wrong is told in the page: a redirect as a refresh, a page
// that is not there or fails as a few words with `noindex`. Such an answer is kept by no cache.
import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { Shell } from '../../page/render/shells.ts';
import type { PageResponse } from '../../page/request/page-request.ts';
import { streamFailure } from '../../page/request/stream-failure.ts';
import type { Encoding } from './negotiate.ts';
import { SECURITY_HEADERS } from './security-headers.ts';
import type { SharedEncodings } from './shared-encoding.ts';

/** A render that takes longer than this is worth streaming. */
const STREAM_AFTER_MS: Milliseconds = 25;

interface PageStreamOptions {
  readonly response: ServerResponse;
  readonly clock: Clock;
  readonly encoding: Encoding;
  readonly encodings: SharedEncodings;
  /** Beside the page's own headers; of `Asked`. */
  readonly transport: readonly string[];
  /** Its rest may be filled for its visitor: no browser is to keep it. */
  readonly isForOne: boolean;
  /** The answer is the last on its connection. */
  readonly isClosing: () => boolean;
}

export class PageStream {
  readonly #options: PageStreamOptions;
  #timer: Timer | undefined;
  #shell: Shell | undefined;
  #end: (rest: Buffer) => void = () => {};

  constructor(options: PageStreamOptions) {
    this.#options = options;
  }

  /** The shell is known: sent soon, unless the page is there before. `collapsed`: another request began the render. */
  expect(shell: Shell, collapsed: boolean): void {
    this.#timer ??= this.#options.clock.after(STREAM_AFTER_MS, () => this.#begin(shell, collapsed));
  }

  /** Nothing has been sent, and nothing will be. */
  cancel(): void {
    this.#timer?.cancel();
  }

  /** The shell is sent: the rest is awaited by `finish`. */
  get hasBegun(): boolean {
    return this.#shell !== undefined;
  }

  /** True: the rest was written here. False: nothing was sent, and nothing will be. */
  finish(page: PageResponse): boolean {
    this.#timer?.cancel();
    const shell = this.#shell;
    if (shell === undefined) return false;
    if (this.#options.response.destroyed) return true;
    const { status, identity } = page.entry;
    const isWhole = status === 200 && identity.subarray(0, shell.before.length).equals(shell.before);
    const rest = isWhole
      ? identity.subarray(shell.before.length)
      : Buffer.concat([Buffer.from(streamFailure(page)), shell.after]);
    this.#end(rest);
    return true;
  }

  #begin(shell: Shell, collapsed: boolean): void {
    const { response, encoding, encodings, transport, isForOne, isClosing } = this.#options;
    if (response.destroyed || response.headersSent) return;
    this.#shell = shell;
    response.writeHead(200, [
      ...[
        'content-type',
        'text/html; charset=utf-8',
        'cache-control',
        isForOne ? 'private, no-store' : 'private, no-cache',
      ],
      ...['vary', ['accept-encoding', ...shell.vary].join(', ')],
      ...['content-security-policy', shell.contentSecurityPolicy],
      ...(encoding === 'identity' ? [] : ['content-encoding', encoding]),
      ...['cache-status', `coherent; fwd=uri-miss${collapsed ? '; collapsed' : ''}; detail=STREAMED`],
      // A proxy in front is not to hold the shell back until the rest is there. nginx takes it out again.
      ...['x-accel-buffering', 'no'],
      ...SECURITY_HEADERS,
      ...transport,
      ...(isClosing() ? ['connection', 'close'] : []),
    ]);
    if (encoding === 'identity') {
      response.write(shell.before);
      this.#end = (rest) => response.end(rest);
      return;
    }
    const shared = encodings.of(shell, encoding);
    shared.join(response);
    this.#end = (rest) => void shared.finish(response, rest);
  }
}
