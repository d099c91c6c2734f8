// GET /metrics: the whole host in one scrape, in the text format of Prometheus. Behind OPS_TOKEN like everything that is no
// probe; a scrape sends it as a bearer token.
import { METRICS } from '../../monitor/metrics/all.ts';
import { CONTENT_TYPE, writeMetrics } from '../../monitor/metrics/metric.ts';
import type { Operations } from '../../operations/operations.ts';
import type { HostStats } from '../stats/host-stats.ts';

export function addMetricsRoute(operations: Operations, stats: HostStats): void {
  operations.route({
    method: 'GET',
    path: '/metrics',
    handler: async () => ({
      status: 200,
      contentType: CONTENT_TYPE,
      body: writeMetrics(METRICS, await stats.collect()),
    }),
  });
}
