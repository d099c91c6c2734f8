import type { StopSignal } from '../core/stop.ts';
import { RenderError } from './errors.ts';
import { type FragmentCall, isFragmentCall } from './fragment-call.ts';
import { writeNode } from './nodes.ts';
import type { Notice } from './notice.ts';
import { Output } from './output.ts';
import { abandon, fill } from './pending.ts';
import { type Continue, describe, type RenderContext, Walk } from './walk.ts';

const deepest = 256;

export interface RenderOptions {
  /** Ends a render that still waits for something. */
  readonly signal?: StopSignal | undefined;
  /** Gives the finished HTML of a fragment, as text or as the bytes of an earlier render. */
  readonly resolveFragment?:
    | ((call: FragmentCall) => string | Uint8Array | PromiseLike<string | Uint8Array>)
    | undefined;
  /** Stands around each call of a component, to measure it: calls it and answers what it returned. */
  readonly watch?: ((component: () => unknown) => unknown) | undefined;
  /** Told of what was left out of the page because data must not say it there, and of what browsers will not run. */
  readonly tell?: ((notice: Notice) => void) | undefined;
  /** Told the inside of each script element that a browser would run, in UTF-8: what a policy may vouch for. */
  readonly onScript?: ((text: Buffer) => void) | undefined;
  /** How deep elements, lists and calls may be nested. 256 unless told. */
  readonly maxDepth?: number | undefined;
}

/** One call of `render`: the walks it takes, what they wait for, and its end by failure or abort. */
export class Rendering implements RenderContext {
  readonly maxDepth: number;
  readonly watch: RenderOptions['watch'];
  readonly tell: RenderOptions['tell'];
  readonly onScript: RenderOptions['onScript'];
  readonly #options: RenderOptions;
  /** The first failure. What is waited for beside it is then no longer rendered. */
  #failure: RenderError | undefined;

  constructor(options: RenderOptions) {
    this.#options = options;
    this.maxDepth = options.maxDepth ?? deepest;
    this.watch = options.watch;
    this.tell = options.tell;
    this.onScript = options.onScript;
  }

  run<T>(node: unknown, finish: (output: Output) => T): T | Promise<Buffer> {
    const { signal } = this.#options;
    if (signal?.aborted === true) {
      abandon(node);
      throw aborted(signal);
    }
    const rendered = this.#walk([], node, (walk) => writeNode(walk, node, 0), finish);
    return signal !== undefined && rendered instanceof Promise ? untilAbort(rendered, signal) : rendered;
  }

  later(walk: Walk, promise: PromiseLike<unknown>, depth: number, goOn: Continue): Promise<Buffer> {
    const trail = walk.trail.slice(0, depth);
    const bytes = Promise.resolve(promise).then(
      (value) => {
        if (this.#failure !== undefined || this.#options.signal?.aborted === true) {
          abandon(value);
          throw this.#failure ?? new Error('The render was aborted');
        }
        return this.#walk([...trail], value, (later) => goOn(later, value), toBuffer);
      },
      (cause) => {
        throw walk.rejected(trail, cause);
      },
    );
    bytes.catch((failure) => {
      this.#failure ??= failure;
    });
    return bytes;
  }

  fragment(node: object): string | Uint8Array | PromiseLike<string | Uint8Array> | undefined {
    return isFragmentCall(node) ? this.#options.resolveFragment?.(node) : undefined;
  }

  #walk<T>(
    trail: (string | number)[],
    node: unknown,
    write: (walk: Walk) => void,
    finish: (output: Output) => T,
  ) {
    const output = new Output();
    const walk = new Walk(output, this, trail);
    try {
      write(walk);
      return walk.holes.length === 0 ? finish(output) : fill(output.toBuffer(), walk.holes);
    } catch (error) {
      abandon([node, walk.results]);
      throw error instanceof RenderError
        ? error
        : new RenderError('E_COMPONENT', 'root', `The tree threw when it was read: ${describe(error)}`, {
            cause: error,
          });
    }
  }
}

function toBuffer(output: Output): Buffer {
  return output.toBuffer();
}

function aborted(signal: StopSignal): RenderError {
  return new RenderError('E_RENDER_ABORTED', 'root', 'The render was aborted', { cause: signal.reason });
}

async function untilAbort(rendered: Promise<Buffer>, signal: StopSignal): Promise<Buffer> {
  let onAbort = () => {};
  const abort = new Promise<never>((_, reject) => {
    onAbort = () => reject(aborted(signal));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([rendered, abort]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
