// Notices that the patient connection waits for an answer that cannot come. What it is asked may take hours (a lock, a
// transaction that has to end), so no limit tells; but the server knows: where its process has nothing to do, question or
// answer was lost on the way. Asked over the control connection, which has a limit. Where it is at work, and waits for others,
// those are named.
import type { Clock, Timer } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { SqlConnection } from './connections.ts';

export interface SilenceWatchOptions {
  readonly patient: SqlConnection;
  readonly control: SqlConnection;
  readonly clock: Clock;
  readonly everyMs: Milliseconds;
  readonly logger: Logger;
}

export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  /** The question that waited at the last look, though the server had nothing to do; it may just have been answered. */
  #suspect: number | undefined;
  /** Those that were named. */
  #said = '';
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
    const { rows } = await control.query<{ active: boolean; blockers: readonly Blocker[] | null }>(
      `SELECT coalesce(state, 'active') = 'active' AS active,
         (SELECT json_agg(json_build_object('pid', b.pid, 'role', s.usename, 'application', s.application_name, 'since', s.xact_start))
          FROM unnest(pg_blocking_pids($1)) AS b(pid) LEFT JOIN pg_stat_activity s USING (pid)) AS blockers
       FROM pg_stat_activity WHERE pid = $1`,
      [patient.pid],
    );
    const [found] = rows;
    if (found?.active === true) this.#say(found.blockers ?? []);
    return found?.active === true;
  }

  #say(blockers: readonly Blocker[]): void {
    const text = blockers.map(({ pid }) => pid).join();
    if (text === '' || text === this.#said) return;
    this.#said = text;
    this.#options.logger.warn(
      { blockers },
      'change feed: waits for transactions of others to end (SELECT pg_terminate_backend(pid) ends one)',
    );
  }
}

interface Blocker {
  readonly pid: number;
  readonly role: string | null;
  readonly application: string | null;
  readonly since: string | null;
}
