// The visibility gate. A change reaches the log's readers before its commit is visible to statements (with
// synchronous replicas: long before). A page rendered in between would carry a stamp that is newer than the purge,
// and the old row. So a transaction is published only when a snapshot taken now would see it.
import type { Milliseconds } from '../../core/units.ts';

/** `pg_current_snapshot()`: transactions below xmin have ended; from xmax on they had not begun; `running` lie between. */
export interface Snapshot {
  readonly xmin: bigint;
  readonly xmax: bigint;
  readonly running: ReadonlySet<bigint>;
  /** Monotonic, before the snapshot was asked for: what it does not show was not visible at this time. */
  readonly askedAt: Milliseconds;
}

/** `xmin:xmax:running,running` */
export function parseSnapshot(text: string, askedAt: Milliseconds): Snapshot {
  const [xmin = '0', xmax = '0', running = ''] = text.split(':');
  return {
    xmin: BigInt(xmin),
    xmax: BigInt(xmax),
    running: new Set(running === '' ? [] : running.split(',').map(BigInt)),
    askedAt,
  };
}

/** Whether statements that begin after the snapshot was taken see what the transaction wrote. */
export function isVisible(xid: number, { xmin, xmax, running }: Snapshot): boolean {
  const full = fullXid(xid, xmax);
  return full < xmin || (full < xmax && !running.has(full));
}

/** The log knows the low 32 bits of a transaction's id; it cannot be further than 2^31 from one of now. */
export function fullXid(xid: number, near: bigint): bigint {
  return near + BigInt.asIntN(32, BigInt(xid) - near);
}
