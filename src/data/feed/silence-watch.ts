// Notices that the patient connection waits for an answer that cannot come. What it is asked may take hours (a lock, a
// transaction that has to end), so no limit tells; but the server knows: where its process has nothing to do, question or
// answer was lost on the way. Asked over the control connection, which has a limit.
import type { Clock, Timer } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { SqlConnection } from './connections.ts';

export interface SilenceWatchOptions {
  readonly patient: SqlConnection;
  readonly control: SqlConnection;
  readonly clock: Clock;
  readonly everyMs: Milliseconds;
}

export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  /** The question that waited at the last look, though the server had nothing to do; it may just have been answered. */
  #suspect: number | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
    this.#later();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #later(): void {
    this.#timer = this.#options.clock.after(this.#options.everyMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { patient } = this.#options;
    const question = patient.waitingFor;
    try {
      if (question !== undefined && !(await this.#isAtWork()) && patient.waitingFor === question) {
        if (this.#suspect === question && !this.#closed)
          patient.lose(new Error('The server has gone silent: it knows nothing of what it was asked.'));
        this.#suspect = question;
      } else this.#suspect = undefined;
    } catch {
      // The control connection broke, which ends the term by itself.
    }
    if (!this.#closed) this.#later();
  }

  async #isAtWork(): Promise<boolean> {
    const { patient, control } = this.#options;
    const { rows } = await control.query('SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND state = $2', [
      patient.pid,
      'active',
    ]);
    return rows.length > 0;
  }
}
