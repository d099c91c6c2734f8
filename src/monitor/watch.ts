// Follows a host: keeps its last hour, judges it by the thresholds, and makes the report of it. Told every snapshot that
// is taken; does something with one every `intervalMs`, however often it is looked at.
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Milliseconds } from '../core/units.ts';
import { Alerts, type Notice } from './alerts/alerts.ts';
import type { GateTimes } from './alerts/gate.ts';
import { Past } from './alerts/past.ts';
import { type Limits, readings } from './alerts/thresholds.ts';
import { History } from './history.ts';
import { type Column, columns, rowOf } from './host-row.ts';
import type { Facts } from './recommend/rule.ts';
import { type Report, reportOf } from './report/report.ts';
import type { HostSnapshot } from './snapshot.ts';

const HOUR_MS: Milliseconds = 3_600_000;

export interface WatchOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly intervalMs: Milliseconds;
  readonly limits: Limits;
  readonly times: GateTimes;
  /** What the host may use. */
  readonly memoryBytes: number;
  readonly notify?: (notice: Notice) => void;
}

export class Watch {
  readonly alerts: Alerts;
  readonly history: History<Column>;
  readonly #past: Past;
  readonly #options: WatchOptions;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(options: WatchOptions) {
    const { clock, logger, intervalMs, times, notify } = options;
    this.#options = options;
    this.history = new History(columns, Math.ceil(HOUR_MS / intervalMs));
    this.#past = new Past(clock.monotonic());
    this.alerts = new Alerts({ clock, logger, times, ...(notify && { notify }) });
  }

  see(box: HostSnapshot): void {
    const { clock, intervalMs, limits, memoryBytes } = this.#options;
    const nowMs = clock.monotonic();
    // A tenth early is on time.
    if (nowMs - this.#lastMs < intervalMs * 0.9) return;
    this.#lastMs = nowMs;
    this.history.add(nowMs, rowOf(box));
    this.#past.see(box.counts, nowMs);
    this.alerts.judge(readings({ box, history: this.history, limits, memoryBytes, intervalMs }));
  }

  facts(box: HostSnapshot): Facts {
    const window = this.#past.window(box.counts, this.#options.clock.monotonic());
    return { box, history: this.history, ...window };
  }

  report(box: HostSnapshot): Report {
    return reportOf(this.facts(box), this.alerts);
  }
}
