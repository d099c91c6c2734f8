import { RenderError, type RenderErrorCode } from './errors.ts';
import type { Notice } from './notice.ts';
import type { Output } from './output.ts';
import type { Hole } from './pending.ts';
import { typeInWords } from './plain-object.ts';
import { call, isCyclic, pathOf, placeOf, type Trail } from './trail.ts';
import type { Trusted } from './trust.ts';

/** Goes on with a value that had to be waited for, where it stood. */
export type Continue = (walk: Walk, value: unknown) => void;

/** What all walks of one render have in common. */
export interface RenderContext {
  readonly maxDepth: number;
  /** Stands around each call, where calls are measured. */
  readonly watch: ((component: () => unknown) => unknown) | undefined;
  /** Told of what the page lives without. */
  readonly tell: ((notice: Notice) => void) | undefined;
  /** Told the inside of each script element that a browser would run, in UTF-8. */
  readonly onScript: ((text: Buffer) => void) | undefined;
  /** Waits for `promise` and renders what it gives, apart from `walk`, which goes on at once. */
  later(walk: Walk, promise: PromiseLike<unknown>, depth: number, goOn: Continue): Promise<Buffer>;
  /** The finished HTML of a fragment. */
  fragment(node: object): string | Uint8Array | PromiseLike<string | Uint8Array> | undefined;
}

/**
 * One walk over a tree, writing as it goes. `depth` counts elements, lists and calls from the root; `trail` is
 * the way from there to where the walk is, so that an error can say where it happened. What has to be waited
 * for leaves a hole in the output and is rendered by a walk of its own.
 */
export class Walk {
  readonly out: Output;
  readonly scope: RenderContext;
  readonly maxDepth: number;
  readonly trail: Trail;
  readonly holes: Hole[] = [];
  /** What calls returned. When the walk fails, promises in here that it never came to must not be forgotten. */
  readonly results: object[] = [];

  constructor(out: Output, scope: RenderContext, trail: Trail) {
    this.out = out;
    this.scope = scope;
    this.maxDepth = scope.maxDepth;
    this.trail = trail;
  }

  /** Leaves a hole here and goes on with the rest. */
  later(promise: PromiseLike<unknown>, depth: number, goOn: Continue): void {
    this.holes.push({ at: this.out.length, bytes: this.scope.later(this, promise, depth, goOn) });
  }

  /** Calls a function that stands for a value. It gets no arguments: what it needs it closes over. */
  call(component: unknown, depth: number): unknown {
    return this.#call(component as () => unknown, call, depth);
  }

  /** Calls a component of JSX. */
  callComponent(component: { readonly name: string }, props: object, depth: number): unknown {
    const called = component as unknown as (props: object) => unknown;
    return this.#call(() => called(props), component.name + call, depth);
  }

  #call(component: () => unknown, step: string, depth: number): unknown {
    if (depth >= this.maxDepth) this.tooDeep(component, depth);
    this.trail[depth] = step;
    try {
      const { watch } = this.scope;
      const result = watch === undefined ? component() : watch(component);
      if (typeof result === 'object' && result !== null) this.results.push(result);
      return result;
    } catch (cause) {
      const steps = step === call ? depth : depth + 1;
      throw this.error('E_COMPONENT', steps, `A component threw: ${describe(cause)}`, { cause });
    }
  }

  /** HTML that is vouched for. A script in it was not rendered here, so no policy vouches for that. */
  trusted(html: Trusted, steps: number): void {
    this.out.trusted(html);
    if (!html.holdsScript) return;
    const problem =
      'trusted() holds an inline <script>, which browsers will not run: the content security policy names only ' +
      'scripts that were rendered as elements, { script: { html: trusted(code) } }';
    this.tell(steps, problem, html.toString());
  }

  /** Tells of something wrong with `value`, at the end of the first `steps` of the trail, without which the page lives. */
  tell(steps: number, problem: string, value: string): void {
    this.scope.tell?.({ place: placeOf(this.trail, steps), problem, value: value.slice(0, 80) });
  }

  /** The promise that stood at the end of `trail` failed. */
  rejected(trail: Trail, cause: unknown): RenderError {
    const problem = `A promise was rejected: ${describe(cause)}`;
    return new RenderError('E_COMPONENT', pathOf(trail, trail.length), problem, { cause });
  }

  error(code: RenderErrorCode, steps: number, problem: string, options?: { cause?: unknown }): RenderError {
    return new RenderError(code, pathOf(this.trail, steps), problem, options);
  }

  /** What a class made stands where an element or its props should. */
  nodeError(node: object, steps: number): RenderError {
    const problem = `An element is a plain object, and this is ${typeInWords(node)}: turn it into text or elements`;
    return this.error('E_NODE_TYPE', steps, problem);
  }

  tooDeep(node: unknown, depth: number): never {
    if (isCyclic(node)) throw this.error('E_CYCLE', depth, 'The tree contains itself');
    throw this.error(
      'E_DEPTH',
      depth,
      `The tree is deeper than "maxDepth" allows (${this.maxDepth}): does a component call itself without end?`,
    );
  }
}

export function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
