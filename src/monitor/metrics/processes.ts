// The processes of the host and how each is; names of Node's runtime follow OpenTelemetry.
import { counter, gauge, levelOfWorkers, type Metric, one } from './metric.ts';

export const processMetrics: readonly Metric[] = [
  gauge(
    'coherent_worker_up',
    '1: the worker of this slot serves and answered the scrape in time.',
    ['slot'],
    (box) =>
      box.workers.map(({ slot, state, answered }) => ({
        labels: { slot: String(slot) },
        value: Number(state === 'serving' && answered),
      })),
  ),
  gauge(
    'coherent_scrape_partial',
    '1: a worker that serves kept silent. Its counts are those of its last answer, and it has no levels.',
    [],
    ({ partial }) => one(Number(partial)),
  ),
  gauge('coherent_scrape_duration_seconds', 'How long the workers took to answer.', [], ({ tookMs }) =>
    one(tookMs / 1000),
  ),
  gauge('coherent_ready', '1 while /readyz says so.', [], ({ primary }) => one(Number(primary.ready))),
  gauge('coherent_workers_serving', 'Workers that serve.', [], ({ workers }) =>
    one(workers.filter(({ state }) => state === 'serving').length),
  ),
  counter('coherent_worker_deaths_total', 'Unplanned deaths.', ['slot'], ({ workers }) =>
    workers.map(({ slot, deaths }) => ({ labels: { slot: String(slot) }, value: deaths })),
  ),
  gauge('coherent_worker_boot_failures', 'Starts in a row that failed.', ['slot'], ({ workers }) =>
    workers.map(({ slot, bootFailures }) => ({ labels: { slot: String(slot) }, value: bootFailures })),
  ),
  gauge(
    'coherent_services_up',
    '1 while the services that were not configured run. Absent where all are configured.',
    [],
    ({ services }) => (services === undefined ? [] : one(Number(services.state === 'running'))),
  ),
  gauge('coherent_build_info', 'Always 1.', ['version', 'node'], ({ primary: { version, node } }) => [
    { labels: { version, node }, value: 1 },
  ]),
  gauge('process_start_time_seconds', 'When the primary was started, Unix time.', [], ({ primary }) =>
    one(primary.startedAtMs / 1000),
  ),
  gauge('process_resident_memory_bytes', 'Of the primary.', [], ({ primary }) => one(primary.rssBytes)),
  counter('process_cpu_seconds_total', 'Of the primary.', [], ({ primary }) =>
    one((primary.cpuUserMs + primary.cpuSystemMs) / 1000),
  ),
  counter(
    'coherent_worker_cpu_seconds_total',
    'CPU time of all workers, those that are gone included.',
    ['mode'],
    ({ counts }) => [
      { labels: { mode: 'user' }, value: counts.process.cpuUserMs / 1000 },
      { labels: { mode: 'system' }, value: counts.process.cpuSystemMs / 1000 },
    ],
  ),
  counter('v8js_gc_runs_total', 'Garbage collections of workers.', ['v8js_gc_type'], ({ counts }) =>
    counts.process.gc.map(({ kind, runs }) => ({ labels: { v8js_gc_type: kind }, value: runs })),
  ),
  counter('v8js_gc_seconds_total', 'Time spent in them.', ['v8js_gc_type'], ({ counts }) =>
    counts.process.gc.map(({ kind, totalMs }) => ({
      labels: { v8js_gc_type: kind },
      value: totalMs / 1000,
    })),
  ),
  levelOfWorkers(
    'coherent_worker_resident_memory_bytes',
    'Memory of a worker.',
    ({ process }) => process.rssBytes,
  ),
  levelOfWorkers(
    'v8js_memory_heap_used_bytes',
    'JavaScript heap in use.',
    ({ process }) => process.heapUsedBytes,
  ),
  levelOfWorkers(
    'v8js_memory_heap_limit_bytes',
    'What the JavaScript heap may grow to.',
    ({ process }) => process.heapLimitBytes,
  ),
  levelOfWorkers(
    'coherent_worker_external_memory_bytes',
    'Outside the heap, Buffers included.',
    ({ process }) => process.externalBytes,
  ),
  levelOfWorkers(
    'coherent_worker_cpu_ratio',
    'CPU time per elapsed time in the last window of 5 s; 1 is one CPU.',
    ({ process }) => process.cpuShare,
  ),
  levelOfWorkers(
    'nodejs_eventloop_delay_p50_seconds',
    'How late timers were in the last window of 5 s.',
    ({ process }) => process.loopDelayP50Ms / 1000,
  ),
  levelOfWorkers(
    'nodejs_eventloop_delay_p99_seconds',
    'How late timers were in the last window of 5 s.',
    ({ process }) => process.loopDelayP99Ms / 1000,
  ),
  levelOfWorkers(
    'nodejs_eventloop_delay_max_seconds',
    'How late timers were in the last window of 5 s.',
    ({ process }) => process.loopDelayMaxMs / 1000,
  ),
  levelOfWorkers(
    'nodejs_eventloop_utilization',
    'The share of that window in which the loop was busy, 0 to 1.',
    ({ process }) => process.loopUtilization,
  ),
];
