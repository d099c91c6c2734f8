import { CoherentError } from '../core/errors.ts';

/** Everything that can be wrong with a tree. Each is explained in docs/errors.md. */
export type RenderErrorCode =
  | 'E_ELEMENT_SHAPE'
  | 'E_NODE_TYPE'
  | 'E_TAG_NAME'
  | 'E_ATTRIBUTE_NAME'
  | 'E_ATTRIBUTE_TYPE'
  | 'E_ATTRIBUTE_TWICE'
  | 'E_TEXT_TYPE'
  | 'E_UNTRUSTED'
  | 'E_DEPTH'
  | 'E_CYCLE'
  | 'E_COMPONENT'
  | 'E_FRAGMENT'
  | 'E_TEMPLATE'
  | 'E_RENDER_ABORTED';

/**
 * A tree that could not be rendered. `path` says where, in the words of the tree: `root.div.children[3].p`;
 * `cause` is what a component threw, or what a promise was rejected with.
 */
export class RenderError extends CoherentError {
  readonly code: RenderErrorCode;
  readonly path: string;

  constructor(code: RenderErrorCode, path: string, problem: string, options?: { cause?: unknown }) {
    super(`${problem} (at ${path})`, options);
    this.code = code;
    this.path = path;
  }
}
