/** A position in the log, as a number of bytes since its beginning. */
export type Lsn = bigint;

/** `16/B374D848`, as Postgres writes it. */
export function parseLsn(text: string): Lsn {
  const slash = text.indexOf('/');
  return (BigInt(`0x${text.slice(0, slash)}`) << 32n) | BigInt(`0x${text.slice(slash + 1)}`);
}

/** Where the log ends: what has committed lies before it. */
export async function insertedUpTo(sql: {
  query(text: string): Promise<{ readonly rows: readonly object[] }>;
}): Promise<Lsn> {
  const { rows } = await sql.query('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  return parseLsn((rows[0] as { lsn: string }).lsn);
}

export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`;
}
