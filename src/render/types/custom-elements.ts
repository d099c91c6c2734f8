import type { GlobalAttributes } from './global-attributes.ts';

/**
 * Custom elements of the application, which it declares beside their views:
 *
 *     declare module 'coherent-render-server' {
 *       interface CustomElements {
 *         'my-clock': CustomElement<{ readonly zone?: string }>;
 *       }
 *     }
 */
// biome-ignore lint/suspicious/noEmptyInterface: applications add to it
export interface CustomElements {}

/** The attributes of a custom element: its own, and those of every element. */
export type CustomElement<Own = Readonly<Record<never, never>>> = GlobalAttributes & Own;
