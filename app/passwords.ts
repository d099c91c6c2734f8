// Passwords as they are kept: by scrypt, which Node has built in, so that the sample needs no native package. It works as hard as
// OWASP asks (16 MiB, five times over), away from the event loop. An argon2 library does as well.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

interface Cost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

const derive = promisify<string, Buffer, number, Cost, Buffer>(scrypt);
const COST: Cost = { N: 16_384, r: 8, p: 5 };
const BYTES = 32;
/** Checked where there is no account, so that time does not tell whether there is one. */
const NOBODY = `${COST.N}:${COST.r}:${COST.p}:${'0'.repeat(32)}:${'0'.repeat(2 * BYTES)}`;

export async function hashOf(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password.normalize('NFKC'), salt, BYTES, COST);
  return [COST.N, COST.r, COST.p, salt.toString('hex'), hash.toString('hex')].join(':');
}

/** `kept`: what `hashOf` answered; undefined: there is no such account. */
export async function isRight(password: string, kept: string | undefined): Promise<boolean> {
  const [N, r, p, salt = '', hash = ''] = (kept ?? NOBODY).split(':');
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  const expected = Buffer.from(hash, 'hex');
  const given = await derive(password.normalize('NFKC'), Buffer.from(salt, 'hex'), expected.length, cost);
  return timingSafeEqual(given, expected) && kept !== undefined;
}
