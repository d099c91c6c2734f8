// In development SESSION_SECRET need not be set: the primary makes one, once, and keeps it in DATA_DIR, so that who is
// signed in stays so through restarts. In production it is for people to give: every host needs the same. Only the sample
// that comes with the server, which is there to be tried, starts without it there, too.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'session-secret';
const SECRET = /^[\w-]{32,}$/;

/** Of this folder. Undefined where it can be neither read nor written: then an application with sessions says so. */
export function madeSecret(dataDir: string): string | undefined {
  const file = join(dataDir, FILE);
  try {
    mkdirSync(dataDir, { recursive: true });
    // Only where there is none: another server may start in the same folder.
    writeFileSync(file, `${randomBytes(32).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 });
  } catch {
    // There is one, or the folder cannot be written to.
  }
  try {
    const secret = readFileSync(file, 'utf8').trim();
    return SECRET.test(secret) ? secret : undefined;
  } catch {
    return undefined;
  }
}
