// Text that only servers with our secret can make or read: authenticated encryption (AES-256-GCM), bound to what it is for and
// to a host. What was sealed for a session opens as nothing else, and what was sealed for one host opens on no other.
//
//   sealed     base64url of: version (1 byte), nonce (12 random bytes), ciphertext, tag (16 bytes)
//   bound to   version, purpose and host, as additional data
//   keys       one for each secret and purpose, by HKDF-SHA-256, derived once: a request derives none
//
// Random nonces of 96 bits: two meet, after a billion seals with one secret, with a probability below 10^-11
// (docs/decisions/0052). The first secret seals; every one of them opens, so that a secret can be replaced while people
// are signed in.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** What a seal is for: `session`, `flash` ... */
export type Purpose = string;

const CIPHER = 'aes-256-gcm';
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + NONCE_BYTES;
const SMALLEST_BYTES = HEAD_BYTES + TAG_BYTES;
const BASE64URL = /^[A-Za-z0-9_-]+$/;
/** Longer than what browsers keep of one cookie: not looked into. */
const LONGEST_SEALED = 4096;

export class Seals {
  readonly #secrets: readonly string[];
  readonly #keys = new Map<Purpose, readonly Buffer[]>();

  /** `secrets`: the newest first. Each has 32 characters at least; the settings were checked before. */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  seal(purpose: Purpose, host: string, text: string): string {
    const [key] = this.#keysFor(purpose);
    if (key === undefined) throw new Error('There is no secret to seal with.');
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, key, nonce).setAAD(boundTo(purpose, host));
    const sealed = [Buffer.of(VERSION), nonce, cipher.update(text, 'utf8'), cipher.final()];
    return Buffer.concat([...sealed, cipher.getAuthTag()]).toString('base64url');
  }

  /** Undefined: not sealed by us, for this purpose and host; whatever it is. */
  open(purpose: Purpose, host: string, sealed: string): string | undefined {
    if (sealed.length > LONGEST_SEALED || !BASE64URL.test(sealed)) return undefined;
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.length < SMALLEST_BYTES || bytes[0] !== VERSION) return undefined;
    const bound = boundTo(purpose, host);
    for (const key of this.#keysFor(purpose)) {
      const text = opened(key, bytes, bound);
      if (text !== undefined) return text;
    }
    return undefined;
  }

  #keysFor(purpose: Purpose): readonly Buffer[] {
    const known = this.#keys.get(purpose);
    if (known !== undefined) return known;
    const keys = this.#secrets.map((secret) =>
      Buffer.from(hkdfSync('sha256', secret, '', `coherent-render-server ${purpose}`, 32)),
    );
    this.#keys.set(purpose, keys);
    return keys;
  }
}

function opened(key: Buffer, bytes: Buffer, bound: Buffer): string | undefined {
  const cipher = createDecipheriv(CIPHER, key, bytes.subarray(1, HEAD_BYTES), { authTagLength: TAG_BYTES });
  cipher.setAAD(bound).setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const text = cipher.update(bytes.subarray(HEAD_BYTES, -TAG_BYTES), undefined, 'utf8');
    return text + cipher.final('utf8');
  } catch {
    return undefined;
  }
}

/** No purpose holds a space, no host a NUL. */
function boundTo(purpose: Purpose, host: string): Buffer {
  return Buffer.from(`${VERSION}\0${purpose}\0${host}`, 'utf8');
}
