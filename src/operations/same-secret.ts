import { createHash, timingSafeEqual } from 'node:crypto';

/** Hashed first: comparing in constant time asks for equal lengths, and a length is a hint too. */
export function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
