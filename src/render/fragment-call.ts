/**
 * A node that stands for a fragment: a component whose output is kept apart from the page around it. The
 * renderer knows no more of it than this brand, and asks `options.resolveFragment` for its finished HTML.
 * Like `Trusted` it has no enumerable key, so no data can be taken for one.
 */
export class FragmentCall<Content = unknown> {
  readonly #content: Content;

  constructor(content: Content) {
    this.#content = content;
  }

  static is(value: unknown): value is FragmentCall {
    return value instanceof FragmentCall && #content in value;
  }

  /** What the maker of the call put into it: which fragment, with which props. */
  get content(): Content {
    return this.#content;
  }
}

export function isFragmentCall(value: unknown): value is FragmentCall {
  return FragmentCall.is(value);
}
