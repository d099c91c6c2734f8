// Which alerts stand. Every few seconds each threshold gives its reading; the gates decide what is raised and resolved;
// a change is logged and told to `notify` (a webhook, where there is one).
//
// One alert a code at a time: what stands is not raised again. At most MAX_BURST raised ones are told at once and
// one a minute after that; those beyond are logged, counted, and said in the next that is told. A resolution is told
// when its alert was.
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { EpochMs, Milliseconds } from '../../core/units.ts';
import { Gate, type GateTimes, type Level } from './gate.ts';

export type Severity = 'info' | 'warning' | 'critical';
export type Stats = Readonly<Record<string, number | string>>;

/** What a threshold says of this moment. */
export interface Reading {
  readonly code: string;
  readonly severity: Severity;
  readonly level: Level;
  /** One sentence for people, with the figures in it. */
  readonly says: string;
  readonly figures: Stats;
  /** Where this one has to last longer or shorter than others; 0 for what has happened and is no tendency. */
  readonly holdMs?: Milliseconds;
}

export interface Alert {
  /** The same in everything that is said of this one occurrence. */
  readonly id: string;
  readonly code: string;
  readonly severity: Severity;
  readonly says: string;
  readonly figures: Stats;
  readonly raisedAtMs: EpochMs;
  readonly resolvedAtMs?: EpochMs;
}

export interface Notice {
  readonly state: 'raised' | 'resolved';
  readonly alert: Alert;
  /** How many alerts were raised, and not told, since the last notice. */
  readonly untold: number;
}

export interface AlertsOptions {
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly logger: Logger;
  readonly times: GateTimes;
  /** Must neither throw nor wait. */
  readonly notify?: (notice: Notice) => void;
}

const MAX_BURST = 10;
const ONE_MORE_EVERY_MS: Milliseconds = 60_000;
const MAX_RECENT = 100;

interface Standing {
  readonly alert: Alert;
  readonly wasTold: boolean;
}

export class Alerts {
  readonly #options: AlertsOptions;
  readonly #gates = new Map<string, Gate>();
  readonly #standing = new Map<string, Standing>();
  readonly #resolved: Alert[] = [];
  #mayTell = MAX_BURST;
  #grantedMs: Milliseconds;
  #untold = 0;

  constructor(options: AlertsOptions) {
    this.#options = options;
    this.#grantedMs = options.clock.monotonic();
  }

  judge(readings: readonly Reading[]): void {
    const nowMs = this.#options.clock.monotonic();
    for (const reading of readings) {
      const gate = this.#gates.get(reading.code) ?? new Gate();
      this.#gates.set(reading.code, gate);
      const { holdMs, clearMs } = this.#options.times;
      const change = gate.step(reading.level, nowMs, { holdMs: reading.holdMs ?? holdMs, clearMs });
      if (change === 'raised') this.#raise(reading);
      else if (change === 'resolved') this.#resolve(reading.code);
    }
  }

  /** Most recent first. */
  get standing(): Alert[] {
    return [...this.#standing.values()].map(({ alert }) => alert).reverse();
  }

  /** Those that are over, most recently resolved first; the last hundred. */
  get resolved(): readonly Alert[] {
    return this.#resolved;
  }

  #raise({ code, severity, says, figures }: Reading): void {
    const raisedAtMs = this.#options.clock.now();
    const alert: Alert = { id: `${code}-${raisedAtMs}`, code, severity, says, figures, raisedAtMs };
    this.#log(alert, { ...figures }, says);
    const wasTold = this.#takeTelling();
    this.#standing.set(code, { alert, wasTold });
    if (wasTold) this.#tell('raised', alert);
    else this.#untold++;
  }

  #resolve(code: string): void {
    const before = this.#standing.get(code);
    if (before === undefined) return;
    this.#standing.delete(code);
    const alert = { ...before.alert, resolvedAtMs: this.#options.clock.now() };
    this.#resolved.unshift(alert);
    if (this.#resolved.length > MAX_RECENT) this.#resolved.pop();
    this.#log(alert, { lastedMs: alert.resolvedAtMs - alert.raisedAtMs }, `resolved: ${alert.says}`);
    if (before.wasTold) this.#tell('resolved', alert);
  }

  #tell(state: Notice['state'], alert: Alert): void {
    const untold = this.#untold;
    this.#untold = 0;
    this.#options.notify?.({ state, alert, untold });
  }

  /** A bucket that holds MAX_BURST and fills by one a minute. */
  #takeTelling(): boolean {
    const nowMs = this.#options.clock.monotonic();
    const granted = Math.floor((nowMs - this.#grantedMs) / ONE_MORE_EVERY_MS);
    this.#grantedMs += granted * ONE_MORE_EVERY_MS;
    this.#mayTell = Math.min(MAX_BURST, this.#mayTell + granted);
    if (this.#mayTell === 0) return false;
    this.#mayTell--;
    return true;
  }

  #log({ code, id, severity }: Alert, figures: Stats, message: string): void {
    const fields = { ...figures, alert: code, alertId: id, severity };
    if (severity === 'critical') this.#options.logger.error(fields, message);
    else if (severity === 'warning') this.#options.logger.warn(fields, message);
    else this.#options.logger.info(fields, message);
  }
}
