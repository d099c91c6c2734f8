import type { Milliseconds } from '../core/units.ts';

export interface Timeouts {
  /** After this a render is aborted and answered with 503. */
  readonly hardTimeoutMs: Milliseconds;
  /** After this a stale page is served, where there is one, while the render goes on. */
  readonly softTimeoutMs: Milliseconds;
}
