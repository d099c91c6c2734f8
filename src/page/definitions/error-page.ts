import { declaring } from '../../core/declarations.ts';
import type { Node } from '../../render/element.ts';
import type { Head } from './head.ts';

/** What the error page is told. */
export interface ErrorProps {
  readonly status: number;
  /** Stands in the log beside everything else; what a visitor can quote. */
  readonly id: string;
  /** What was wrong with the request (400). During development also an error's message and stack; else undefined. */
  readonly detail: string | undefined;
}

export interface ErrorPageDefinition {
  readonly head?: (props: ErrorProps) => Head;
  readonly view: (props: ErrorProps) => Node;
}

const madeHere: unique symbol = Symbol('coherent.error-page');

/** Made by `errorPage()` only. */
export interface ErrorPage {
  readonly [madeHere]: true;
  readonly definition: ErrorPageDefinition;
}

/** Declares the page for failures: the default export of `pages/_error`. It reads no data: data may be what failed. */
export function errorPage(definition: ErrorPageDefinition): ErrorPage {
  declaring('errorPage()');
  return Object.freeze({ [madeHere]: true as const, definition });
}

export function isErrorPage(value: unknown): value is ErrorPage {
  return typeof value === 'object' && value !== null && madeHere in value;
}
