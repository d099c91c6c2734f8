// How a receiver knows that a call is ours and new: X-Coherent-Signature: t=<seconds since 1970>,v1=<hex>
// v1 is HMAC-SHA256 with the shared secret over `<t>.<body>`. The receiver computes the same over the bytes it got, compares
// in constant time, and refuses a `t` that is minutes old. Each attempt is signed anew. The scheme is that of Stripe.
import { createHmac } from 'node:crypto';
import type { EpochMs } from '../core/units.ts';

export function signature(secret: string, body: string, nowMs: EpochMs): string {
  const time = Math.floor(nowMs / 1000);
  return `t=${time},v1=${createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')}`;
}
