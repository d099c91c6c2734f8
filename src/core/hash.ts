const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/**
 * 32 bits of a string, unsigned: FNV-1a over its UTF-16 units, then a final mix, so that keys which differ in one digit differ
 * in all bits. Not against those who look for collisions. Part of the wire contract (the slots of dependency keys): all
 * processes of a fleet must agree, in every version.
 */
export function hashOf(text: string): number {
  let hash = OFFSET;
  let seen = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    seen |= unit;
    hash = Math.imul(hash ^ unit, PRIME);
  }
  // Asked once and not of every unit: it halves the time.
  if (seen > 0xff) hash = hashOfWide(text);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function hashOfWide(text: string): number {
  let hash = OFFSET;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    hash = unit > 0xff ? twoBytes(hash, wellFormed(text, index)) : Math.imul(hash ^ unit, PRIME);
  }
  return hash;
}

function twoBytes(hash: number, unit: number): number {
  return Math.imul(Math.imul(hash ^ (unit & 0xff), PRIME) ^ (unit >>> 8), PRIME);
}

/** A surrogate without its partner counts as U+FFFD, which is what it becomes on its way through UTF-8. */
function wellFormed(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  if ((unit & 0xf800) !== 0xd800) return unit;
  const isHigh = (unit & 0x0400) === 0;
  const partner = text.charCodeAt(isHigh ? index + 1 : index - 1);
  return (partner & 0xfc00) === (isHigh ? 0xdc00 : 0xd800) ? unit : 0xfffd;
}
