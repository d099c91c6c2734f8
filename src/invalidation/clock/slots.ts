import type { DependencyKey, Slot } from '../../core/units.ts';

/** 2^20 slots of 4 bytes: 4 MiB a kind. Every worker of a fleet must use the same number. */
export const DEFAULT_SLOTS = 2 ** 20;

const PRIME = 0x01000193;

/**
 * The slot of a dependency key: FNV-1a over its UTF-16 units, then a final mix so that keys that differ in
 * their last digit spread. Part of the wire contract: all processes of a fleet must agree, in every version.
 * Two keys on one slot cost a needless render, never a wrong page.
 */
export function slotOf(key: DependencyKey, slots: number): Slot {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) {
    const unit = key.charCodeAt(index);
    hash = unit > 0xff ? twoBytes(hash, wellFormed(key, index)) : Math.imul(hash ^ unit, PRIME);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) & (slots - 1);
}

function twoBytes(hash: number, unit: number): number {
  return Math.imul(Math.imul(hash ^ (unit & 0xff), PRIME) ^ (unit >>> 8), PRIME);
}

/** A surrogate without its partner counts as U+FFFD, which is what it becomes on its way through UTF-8. */
function wellFormed(key: string, index: number): number {
  const unit = key.charCodeAt(index);
  if ((unit & 0xf800) !== 0xd800) return unit;
  const isHigh = (unit & 0x0400) === 0;
  const partner = key.charCodeAt(isHigh ? index + 1 : index - 1);
  return (partner & 0xfc00) === (isHigh ? 0xdc00 : 0xd800) ? unit : 0xfffd;
}
