import type { SessionDeclaration } from './declaration.ts';

/**
 * What an application tells the types of: that of its session.
 *
 * @example
 *     declare module 'coherent-render-server' {
 *       interface Register { session: typeof visitors }
 *     }
 */
// biome-ignore lint/suspicious/noEmptyInterface: applications add to it
export interface Register {}

/** What a page reads in a session: the output of its schema. `unknown` until the application has registered it. */
export type SessionData = Register extends { readonly session: SessionDeclaration<infer _, infer Data> }
  ? Data
  : unknown;

/** What is written to a session: the input of its schema. */
export type SessionInput = Register extends { readonly session: SessionDeclaration<infer Input, infer _> }
  ? Input
  : unknown;
