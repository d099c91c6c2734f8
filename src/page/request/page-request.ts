// What is asked of the pipeline, and what it answers.
import type { CacheKey, Outcome } from '../../cache/contract.ts';
import type { PageEntry } from '../../cache/entry.ts';
import type { StopSignal } from '../../core/stop.ts';
import type { Arrival } from '../../visitor/arrival.ts';
import type { Chosen, PageVariants } from '../definitions/variants.ts';
import type { Encoding } from '../encode/encode.ts';
import type { Shell } from '../render/shells.ts';

export interface PageRequest {
  /** Of the canonical path, decoded. */
  readonly segments: readonly string[];
  /** Raw, without the '?'. */
  readonly query: string;
  readonly header: (name: string) => string | undefined;
  /** Who asks. Called for pages that look at their visitor, and for no other. */
  readonly arrival?: () => Arrival;
  /** The one that the visitor likes best of those there are. */
  readonly encoding: Encoding;
  /** Render anew whatever is cached: an operator asks. */
  readonly bypass?: boolean;
  /** The name of the request: a failure of it goes by this one. */
  readonly id?: () => string;
  /** Called once, and only if the visitor has to wait. */
  readonly waits: () => Visitor;
}

/** A request that waits for a render. */
export interface Visitor {
  /** Aborts when its client is gone. */
  readonly signal: StopSignal;
  /** Told the shell of a page that has one, once; `collapsed`: of a render that another request, or process, began. */
  readonly onShell?: ((shell: Shell, collapsed: boolean) => void) | undefined;
}

export type PageAddress = Pick<PageRequest, 'segments' | 'query' | 'header'>;

export interface PageResponse {
  readonly entry: PageEntry;
  /** The route template; '_404' where no route matches. For logs and metrics. */
  readonly route: string;
  /** Undefined for failures, which have no key. */
  readonly key: CacheKey | undefined;
  readonly outcome: Outcome<PageEntry> | undefined;
  /** Of a failure: what the visitor is told, and the log. */
  readonly errorId?: string;
  /** There was no room to render it: the visitor had better come back over another connection. */
  readonly shed?: true;
  /** It was made for this visitor alone. */
  readonly personal?: true;
  /** A guard has let this visitor pass: the next one is asked anew. */
  readonly guarded?: true;
  /** Of the request headers, these took part in the key as they came. */
  readonly vary: readonly string[];
  /** Which of the application's variants did, and what was chosen of them. */
  readonly variants?: { readonly of: PageVariants; readonly chosen: Chosen } | undefined;
  /**
   * The key that the address leads to by now, its headers aside: a schema may say today's date, or what else it likes.
   * It answers undefined where that cannot be said at once. Not there: always the same key.
   */
  readonly keyNow?: (() => CacheKey | undefined) | undefined;
}
