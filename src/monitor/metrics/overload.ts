import { counter, levelOfWorkers, type Metric, one } from './metric.ts';

export const overloadMetrics: readonly Metric[] = [
  counter('coherent_overload_queued_total', 'Renders that had to wait for a slot.', [], ({ counts }) =>
    one(counts.overload.queued),
  ),
  counter(
    'coherent_overload_stale_total',
    'Requests answered with an older page because there was no slot to render.',
    [],
    ({ counts }) => one(counts.overload.staleIfOverloaded),
  ),
  counter(
    'coherent_overload_spared_total',
    'The earlier name of coherent_overload_stale_total; goes with the next version.',
    [],
    ({ counts }) => one(counts.overload.staleIfOverloaded),
  ),
  counter(
    'coherent_overload_refused_total',
    'Requests answered 503 because there was no slot to render.',
    ['reason'],
    ({ counts }) =>
      counts.overload.refused.map(({ reason, requests }) => ({ labels: { reason }, value: requests })),
  ),
  levelOfWorkers('coherent_overload_strained', '1 while the worker sheds or is about to.', ({ overload }) =>
    Number(overload.overloadLevel !== 'none'),
  ),
  levelOfWorkers('coherent_render_slots_used', 'Renders under way.', ({ overload }) => overload.running),
  levelOfWorkers(
    'coherent_render_slots_max',
    'Renders that may be under way.',
    ({ overload }) => overload.maxRunning,
  ),
  levelOfWorkers(
    'coherent_render_slots_waiting',
    'Renders that wait for a slot.',
    ({ overload }) => overload.waiting,
  ),
];
