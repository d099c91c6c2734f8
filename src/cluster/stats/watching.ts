// Has the host watched: history, thresholds and alerts (monitor/watch.ts) on the figures that the primary collects, a
// webhook where one is set, and the report. What goes wrong in here is logged and goes no further.
import { hostname } from 'node:os';
import type { Config } from '../../../config/config.ts';
import { inspectMachine } from '../../../config/machine.ts';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { openPoster } from '../../core/post.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { AdviceLine, AlertLine } from '../../dashboard/data/frame.ts';
import { AlertWebhook } from '../../monitor/alerts/alert-webhook.ts';
import type { Limits } from '../../monitor/alerts/thresholds.ts';
import { recommendations } from '../../monitor/recommend/recommend.ts';
import type { Recommendation } from '../../monitor/recommend/rule.ts';
import type { HostSnapshot } from '../../monitor/snapshot.ts';
import { Watch } from '../../monitor/watch.ts';
import type { HostStats } from './host-stats.ts';

const POST_TIMEOUT_MS: Milliseconds = 5000;
/** For the dashboard, which asks once a second. */
const ADVICE_EVERY_MS: Milliseconds = 10_000;

export interface WatchingOptions {
  readonly config: Config;
  readonly stats: Pick<HostStats, 'subscribe'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly version: string;
}

export class Watching {
  readonly watch: Watch;
  readonly #options: WatchingOptions;
  readonly #stopListening: () => void;
  readonly #webhook: AlertWebhook | undefined;
  #latest: HostSnapshot | undefined;
  #advice: readonly Recommendation[] = [];
  #advisedMs = Number.NEGATIVE_INFINITY;

  private constructor(options: WatchingOptions, webhook: AlertWebhook | undefined) {
    const { config, clock, logger, stats } = options;
    this.#options = options;
    this.#webhook = webhook;
    this.watch = new Watch({
      clock,
      logger,
      intervalMs: config.monitorIntervalMs,
      limits: limitsOf(config),
      times: { holdMs: config.alertHoldMs, clearMs: config.alertClearMs },
      memoryBytes: inspectMachine().memoryBytes,
      ...(webhook && { notify: (notice) => webhook.tell(notice) }),
    });
    this.#stopListening = stats.subscribe((box) => {
      this.#latest = box;
      this.watch.see(box);
    });
  }

  static open(options: WatchingOptions): Watching {
    const { config, clock, random, logger, version } = options;
    const { alertWebhookUrl: url, alertWebhookFormat: format } = config;
    if (url === undefined) return new Watching(options, undefined);
    const poster = openPoster({ timeoutMs: POST_TIMEOUT_MS, clock });
    const sender = { host: hostname(), version };
    return new Watching(options, new AlertWebhook({ url, format, sender, poster, clock, random, logger }));
  }

  async close(): Promise<void> {
    this.#stopListening();
    await this.#webhook?.close();
  }

  /** For the dashboard. */
  alertLines(): AlertLine[] {
    return this.watch.alerts.standing.map(({ severity, code, says, raisedAtMs }) => ({
      severity,
      title: code,
      text: says,
      sinceMs: raisedAtMs,
    }));
  }

  /** For the dashboard. */
  adviceLines(): AdviceLine[] {
    return this.#currentAdvice().map(({ priority, about, title, evidence, advice, effect }) => ({
      priority,
      about,
      title,
      evidence,
      effect: `${advice} ${effect}`,
    }));
  }

  #currentAdvice(): readonly Recommendation[] {
    const nowMs = this.#options.clock.monotonic();
    if (this.#latest === undefined || nowMs - this.#advisedMs < ADVICE_EVERY_MS) return this.#advice;
    this.#advisedMs = nowMs;
    this.#advice = recommendations(this.watch.facts(this.#latest));
    return this.#advice;
  }
}

function limitsOf(config: Config): Limits {
  return {
    memoryPercent: config.alertMemoryPercent,
    cpuPercent: config.alertCpuPercent,
    loopDelayMs: config.alertLoopDelayMs,
    slowRenderPercent: config.alertSlowRenderPercent,
    slowQueryPercent: config.alertSlowQueryPercent,
    errorPercent: config.alertErrorPercent,
    restarts: config.alertRestarts,
    rejections: config.alertRejections,
    degradedMs: config.alertDegradedMs,
    hitRateDrop: config.alertHitRateDrop,
    slotRetainedMb: config.alertSlotRetainedMb,
  };
}
