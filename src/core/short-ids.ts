import { randomBytes } from 'node:crypto';

const BYTES = 6;
const AT_ONCE = 512;

/**
 * Ids of twelve hexadecimal digits: short enough to be read out over a telephone. Random bytes are asked of the system for
 * many at once, since to ask for six costs as much.
 */
export function shortIds(): () => string {
  let digits = '';
  let at = 0;
  return () => {
    if (at === digits.length) {
      digits = randomBytes(BYTES * AT_ONCE).toString('hex');
      at = 0;
    }
    at += 2 * BYTES;
    return digits.slice(at - 2 * BYTES, at);
  };
}
