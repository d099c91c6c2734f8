// What the feed remembers in the database itself: which server, timeline and schema it had told everybody of.
import type { SqlConnection } from './connections.ts';

export interface Remembered {
  readonly system: string;
  readonly timeline: number;
  readonly fingerprint: string;
}

export class FeedMemory {
  readonly #sql: SqlConnection;
  readonly #slot: string;
  #hasForgotten = false;

  constructor(sql: SqlConnection, slot: string) {
    this.#sql = sql;
    this.#slot = slot;
  }

  async read(): Promise<Remembered | undefined> {
    const { rows } = await this.#sql.query<Remembered>(
      'SELECT system, timeline, fingerprint FROM coherent.feed WHERE slot = $1',
      [this.#slot],
    );
    return rows[0];
  }

  async write({ system, timeline, fingerprint }: Remembered): Promise<void> {
    await this.#sql.query(
      `INSERT INTO coherent.feed (slot, system, timeline, fingerprint) VALUES ($1, $2, $3, $4)
       ON CONFLICT (slot) DO UPDATE SET system = $2, timeline = $3, fingerprint = $4`,
      [this.#slot, system, timeline, fingerprint],
    );
  }

  /** Before the slot is made anew: the next leader then begins a new epoch, also if we do not live to. */
  async forget(): Promise<void> {
    const { rows } = await this.#sql.query('DELETE FROM coherent.feed WHERE slot = $1 RETURNING slot', [
      this.#slot,
    ]);
    if (rows.length > 0) this.#hasForgotten = true;
  }

  /** Whether there was something to forget: this is no first start. */
  get hasForgotten(): boolean {
    return this.#hasForgotten;
  }
}
