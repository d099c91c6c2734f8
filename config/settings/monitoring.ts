import { integer, milliseconds, oneOf, url } from '../kinds.ts';
import { setting } from './setting.ts';
import { HOUR, MINUTE } from './units.ts';

export const monitoring = {
  monitorIntervalMs: setting({
    name: 'MONITOR_INTERVAL_MS',
    kind: milliseconds({ min: 100, max: 5 * MINUTE }),
    default: '5000',
    help: 'How often workers are asked how they are: for the history of the last hour, the report and the alerts.',
  }),
  alertWebhookUrl: setting({
    name: 'ALERT_WEBHOOK_URL',
    kind: url(['http:', 'https:'], 'https://hooks.slack.com/services/T000/B000/XXXX'),
    help: 'Is told of each alert, once when it is raised and once when it is over. Unset: alerts are in the log, the report and the dashboard.',
    secret: true,
  }),
  alertWebhookFormat: setting({
    name: 'ALERT_WEBHOOK_FORMAT',
    kind: oneOf(['slack', 'json']),
    default: 'slack',
    help: 'The body of ALERT_WEBHOOK_URL: slack for its incoming webhooks and what understands them, json for everything of the alert in plain fields.',
  }),
  alertHoldMs: setting({
    name: 'ALERT_HOLD_MS',
    kind: milliseconds({ min: 0, max: HOUR }),
    default: '30000',
    help: 'How long a figure must be above its limit before that is an alert.',
  }),
  alertClearMs: setting({
    name: 'ALERT_CLEAR_MS',
    kind: milliseconds({ min: 0, max: HOUR }),
    default: '60000',
    help: 'How long it must be below nine tenths of its limit before the alert is over.',
  }),
  alertMemoryPercent: setting({
    name: 'ALERT_MEMORY_PERCENT',
    kind: integer({ min: 0, max: 100, unit: '%' }),
    default: '90',
    help: 'Alert high_memory: a worker holds more of its heap limit, or the host more of the memory of its machine or container. 0: never.',
  }),
  alertCpuPercent: setting({
    name: 'ALERT_CPU_PERCENT',
    kind: integer({ min: 0, max: 1000, unit: '%' }),
    default: '90',
    help: 'Alert high_cpu: a worker uses more of one CPU. 0: never.',
  }),
  alertLoopDelayMs: setting({
    name: 'ALERT_LOOP_DELAY_MS',
    kind: milliseconds({ min: 0, max: MINUTE }),
    default: '200',
    help: 'Alert slow_loop: the event loop of a worker is later than this (p99). 0: never.',
  }),
  alertSlowRenderPercent: setting({
    name: 'ALERT_SLOW_RENDER_PERCENT',
    kind: integer({ min: 0, max: 100, unit: '%' }),
    default: '75',
    help: 'Alert slow_renders: more of the renders of the last minute took longer than SLOW_RENDER_MS. 0: never.',
  }),
  alertSlowQueryPercent: setting({
    name: 'ALERT_SLOW_QUERY_PERCENT',
    kind: integer({ min: 0, max: 100, unit: '%' }),
    default: '10',
    help: 'Alert slow_queries: more of the statements of the last minute took longer than SLOW_QUERY_MS. 0: never.',
  }),
  alertErrorPercent: setting({
    name: 'ALERT_ERROR_PERCENT',
    kind: integer({ min: 0, max: 100, unit: '%' }),
    default: '5',
    help: 'Alert errors: more of the answers of the last minute had a status of 500 or above. 0: never.',
  }),
  alertRestarts: setting({
    name: 'ALERT_RESTARTS',
    kind: integer({ min: 0, max: 1000 }),
    default: '3',
    help: 'Alert restarts: so many workers and change feeds have died within ten minutes. 0: never.',
  }),
  alertRejections: setting({
    name: 'ALERT_REJECTIONS',
    kind: integer({ min: 0, max: 1_000_000 }),
    default: '1',
    help: 'Alert unheard_rejections: so many promises of the application were rejected within ten minutes while nothing awaited them. 0: never.',
  }),
  alertDegradedMs: setting({
    name: 'ALERT_DEGRADED_MS',
    kind: milliseconds({ min: 0, max: HOUR }),
    default: '10000',
    help: 'Alerts degraded and feed_down: for so long workers have heard of no purges, or the change feed has not worked. 0: never.',
  }),
  alertSlotRetainedMb: setting({
    name: 'ALERT_SLOT_RETAINED_MB',
    kind: integer({ min: 0, max: 10_000_000 }),
    default: '1024',
    help: 'Alert slot_retained: so many megabytes of its log the database keeps for the change feed. 0: never.',
  }),
  alertHitRateDrop: setting({
    name: 'ALERT_HIT_RATE_DROP',
    kind: integer({ min: 0, max: 100, unit: '%' }),
    default: '30',
    help: 'Alert hit_rate_fell: so many of a hundred requests fewer were hits in the last five minutes than in the hour before. 0: never.',
  }),
};
