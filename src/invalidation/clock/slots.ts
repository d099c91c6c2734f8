import { hashOf } from '../../core/hash.ts';
import type { DependencyKey, Slot } from '../../core/units.ts';

/** 2^20 slots of 4 bytes: 4 MiB a kind. Every worker of a fleet must use the same number. */
export const DEFAULT_SLOTS = 2 ** 20;

/**
 * The slot of a dependency key. Part of the wire contract: all processes of a fleet must agree, in every version.
 * Two keys on one slot cost a needless render, never a wrong page.
 */
export function slotOf(key: DependencyKey, slots: number): Slot {
  return hashOf(key) & (slots - 1);
}
