/** A position in the log, as a number of bytes since its beginning. */
export type Lsn = bigint;

/** `16/B374D848`, as Postgres writes it. */
export function parseLsn(text: string): Lsn {
  const slash = text.indexOf('/');
  return (BigInt(`0x${text.slice(0, slash)}`) << 32n) | BigInt(`0x${text.slice(slash + 1)}`);
}

export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`;
}
