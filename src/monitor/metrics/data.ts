// The database as workers see it. Names follow OpenTelemetry's semantic conventions for database clients.
import {
  answeredWorkers,
  counter,
  gauge,
  histogram,
  inSeconds,
  levelOfWorkers,
  type Metric,
  one,
} from './metric.ts';

export const dataMetrics: readonly Metric[] = [
  histogram(
    'db_client_operation_duration_seconds',
    'Statements, the wait for a connection included.',
    [],
    ({ counts }) => [inSeconds({}, counts.data.statements)],
  ),
  histogram(
    'db_client_connection_wait_time_seconds',
    'How long statements waited for a connection of the pool.',
    [],
    ({ counts }) => [inSeconds({}, counts.data.connects)],
  ),
  counter('coherent_db_failures_total', 'Statements that failed or were stopped.', [], ({ counts }) =>
    one(counts.data.failures),
  ),
  counter('coherent_db_slow_statements_total', 'Statements slower than SLOW_QUERY_MS.', [], ({ counts }) =>
    one(counts.data.slow),
  ),
  gauge('db_client_connection_count', 'Open connections, idle or used.', ['state', 'slot'], (box) =>
    answeredWorkers(box).flatMap(({ slot, pool }) => [
      { labels: { state: 'idle', slot: String(slot) }, value: pool.idle },
      { labels: { state: 'used', slot: String(slot) }, value: pool.total - pool.idle },
    ]),
  ),
  levelOfWorkers('db_client_connection_max', 'Connections that a worker may open.', ({ pool }) => pool.max),
  levelOfWorkers(
    'db_client_connection_pending_requests',
    'Statements that wait for a connection.',
    ({ pool }) => pool.waiting,
  ),
];
