import { cacheMetrics } from './cache.ts';
import { coherenceMetrics } from './coherence.ts';
import { dataMetrics } from './data.ts';
import { httpMetrics } from './http.ts';
import type { Metric } from './metric.ts';
import { overloadMetrics } from './overload.ts';
import { processMetrics } from './processes.ts';
import { renderMetrics } from './renders.ts';

/** What /metrics tells. docs/operations.md lists it; a test holds the two together. */
export const METRICS: readonly Metric[] = [
  ...httpMetrics,
  ...cacheMetrics,
  ...renderMetrics,
  ...overloadMetrics,
  ...dataMetrics,
  ...coherenceMetrics,
  ...processMetrics,
];
