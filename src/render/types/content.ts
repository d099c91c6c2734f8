import type { Node } from '../element.ts';
import type { Trusted } from '../trust.ts';
import type { Text } from './values.ts';

export interface Keyed {
  /** Never written: it names a child among its siblings. */
  readonly key?: string | number | null | undefined;
}

/** What stands in an element. `html` wins over `text` and `children`; `text` stands before `children`. */
export interface Content extends Keyed {
  /** Never markup. */
  readonly text?: Text | boolean | bigint;
  /** Markup that is vouched for, `trusted(...)`; the code of a script or style element. */
  readonly html?: Trusted | PromiseLike<Trusted> | (() => Trusted) | false | null | undefined;
  readonly children?: Node;
}
