// How much of the log the slot keeps: it grows while no feed reads, until the server's own bound or the end of the disk.
import type { Clock, Timer } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Bytes, Milliseconds } from '../../core/units.ts';
import type { SqlConnection } from './connections.ts';

export interface SlotWatchOptions {
  readonly sql: SqlConnection;
  readonly slot: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onRetained: (bytes: Bytes) => void;
}

const LOOK_MS: Milliseconds = 5_000;
/** While there is no slot yet: it is made a moment after this begins to look. */
const LOOK_SOON_MS: Milliseconds = 500;

interface State {
  readonly retained: string | null;
  readonly bound: string;
}

export class SlotWatch {
  readonly #options: SlotWatchOptions;
  #timer: Timer | undefined;
  #said = false;
  #closed = false;

  constructor(options: SlotWatchOptions) {
    this.#options = options;
    void this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const { sql, slot, clock, onRetained } = this.#options;
    let againMs = LOOK_SOON_MS;
    try {
      const { rows } = await sql.query<State>(
        `SELECT (SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), restart_lsn)::bigint::text
           FROM pg_replication_slots WHERE slot_name = $1) AS retained, current_setting('max_slot_wal_keep_size') AS bound`,
        [slot],
      );
      const [state] = rows;
      if (state?.retained != null) {
        onRetained(Number(state.retained));
        againMs = LOOK_MS;
      }
      if (state !== undefined) this.#sayOnce(state.bound);
    } catch {
      // The connection broke, which ends the term by itself.
    }
    if (!this.#closed) this.#timer = clock.after(againMs, () => void this.#look());
  }

  #sayOnce(bound: string): void {
    if (this.#said) return;
    this.#said = true;
    const { logger, slot } = this.#options;
    const isBounded = bound !== '-1';
    logger[isBounded ? 'info' : 'warn'](
      { slot, maxSlotWalKeepSize: bound },
      'change feed: its slot stays when this server is stopped for good, and keeps the log: "coherent-server db remove" takes it out. ' +
        (isBounded
          ? 'Postgres bounds what it keeps'
          : 'Nothing bounds what it keeps: set max_slot_wal_keep_size in Postgres'),
    );
  }
}
