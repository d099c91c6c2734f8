import type { Counts } from '../counts.ts';
import { counter, gauge, histogram, levelOfWorkers, type Metric, one, type PlainMetric } from './metric.ts';

type Coherence = Counts['coherence'];

const total = (name: string, help: string, read: (coherence: Coherence) => number): PlainMetric =>
  counter(name, help, [], ({ counts }) => one(read(counts.coherence)));

const spans = (
  name: string,
  help: string,
  read: (span: Coherence['sampler']['spans'][number]) => number,
): PlainMetric =>
  counter(name, help, ['within_seconds'], ({ counts }) =>
    counts.coherence.sampler.spans.map((span) => ({
      labels: { within_seconds: String(Number(span.withinMs) / 1000) },
      value: read(span),
    })),
  );

/** Counts of the feed (data/feed/figures.ts), over all its processes. */
const FEED_TOTALS: Readonly<Record<string, string>> = {
  transactions: 'Transactions read from the log that changed followed tables.',
  rows: 'Rows changed by them.',
  keys: 'Dependency keys published for them.',
  published: 'Purges handed to the bus.',
  publishFailures: 'Attempts to hand one over that failed.',
  epochs: 'Times everything cached had to be called suspect.',
  watchersTold: 'Batches of purges that a webhook, a CDN or a watcher of the application has confirmed.',
  watchersFailures: 'Attempts to tell one of them that failed; each is tried again.',
  watchersKeysDropped: 'Keys for which "everything" stands, because too many waited for one of them.',
};

export const coherenceMetrics: readonly Metric[] = [
  total(
    'coherent_purges_applied_total',
    'Purges applied, summed over workers: each applies each.',
    ({ purgesApplied }) => purgesApplied,
  ),
  total('coherent_expires_applied_total', 'Expires applied, summed over workers.', ({ expires }) => expires),
  total('coherent_purge_keys_total', 'Keys in both, summed over workers.', ({ keys }) => keys),
  total(
    'coherent_bus_gaps_found_total',
    'Readings of the purge stream that told of purges which no message had brought.',
    ({ gapsFound }) => gapsFound,
  ),
  total('coherent_bus_gaps_mended_total', 'Such purges that came by name.', ({ gapsMended }) => gapsMended),
  total('coherent_bus_clock_loads_total', 'Loads of the whole purge clock.', ({ clockLoads }) => clockLoads),
  total('coherent_bus_epoch_changes_total', 'Epochs begun anew.', ({ epochChanges }) => epochChanges),
  total(
    'coherent_bus_readings_failed_total',
    'Readings of the purge stream that failed.',
    ({ readingsFailed }) => readingsFailed,
  ),
  total(
    'coherent_bus_messages_refused_total',
    'Messages of the bus that were not of its protocol.',
    ({ messagesRefused }) => messagesRefused,
  ),
  total(
    'coherent_lease_losses_total',
    'Times a worker lost the right to trust what it held.',
    ({ leaseLosses }) => leaseLosses,
  ),
  total(
    'coherent_degraded_seconds_total',
    'How long workers served pages as a micro-cache only, summed over workers; each start counts until the first lease.',
    ({ degradedMs }) => degradedMs / 1000,
  ),
  histogram(
    'coherent_commit_to_applied_seconds',
    'From COMMIT in Postgres until a worker had applied the purge; two clocks take part.',
    [],
    ({ counts }) => {
      const { count, sumMs, buckets } = counts.coherence.commitToApplied;
      if (buckets.length === 0) return [];
      const inSecondsToo = (ms: string) => (ms === '+Inf' ? ms : String(Number(ms) / 1000));
      return [
        {
          labels: {},
          count,
          sum: sumMs / 1000,
          buckets: buckets.map(({ upToMs, count: inside }) => [inSecondsToo(upToMs), inside] as const),
        },
      ];
    },
  ),
  spans(
    'coherent_sampler_checked_total',
    'Entries looked at so long after the commit that purged them.',
    ({ checked }) => checked,
  ),
  spans(
    'coherent_sampler_coherent_total',
    'Of these, those that were not served any more.',
    ({ coherent }) => coherent,
  ),
  levelOfWorkers('coherent_lease_held', '1 while the worker may trust what it holds.', ({ coherence }) =>
    Number(coherence.trusted),
  ),
  levelOfWorkers('coherent_purge_seq', 'Number of the last purge applied.', ({ coherence }) => coherence.seq),
  gauge('coherent_feed_up', '1 while the change feed leads or stands by.', [], ({ feed }) =>
    feed === undefined ? [] : one(Number(feed.state === 'leading' || feed.state === 'standby')),
  ),
  gauge('coherent_feed_leading', '1 while the feed of this host is the one that reads.', [], ({ feed }) =>
    feed === undefined ? [] : one(Number(feed.state === 'leading')),
  ),
  counter('coherent_feed_deaths_total', 'Unplanned deaths of the feed process.', [], ({ feed }) =>
    feed === undefined ? [] : one(feed.deaths),
  ),
  ...Object.entries(FEED_TOTALS).map(([figure, help]) =>
    counter(`coherent_feed_${snakeCase(figure)}_total`, help, [], ({ feed }) => {
      const value = feed?.stats[figure];
      return value === undefined ? [] : one(value);
    }),
  ),
  gauge(
    'coherent_slot_retained_bytes',
    'Of the log of the database, kept for the slot of the feed.',
    [],
    ({ feed }) => (feed?.stats.slotRetainedBytes === undefined ? [] : one(feed.stats.slotRetainedBytes)),
  ),
  gauge('coherent_feed_waiting', 'Transactions read and not handed over yet.', [], ({ feed }) =>
    feed?.stats.waiting === undefined ? [] : one(feed.stats.waiting),
  ),
  gauge(
    'coherent_feed_commit_to_published_p99_seconds',
    'From COMMIT until the bus had taken the purge, of the last 1,000 transactions.',
    [],
    ({ feed }) => {
      const p99Ms = feed?.stats.commitToPublishedP99Ms;
      return p99Ms === undefined ? [] : one(p99Ms / 1000);
    },
  ),
];

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
