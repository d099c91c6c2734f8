// GET /report of the operations port: the last hour of this host, its alerts and what would help. JSON, or text for a
// terminal with ?format=text.
import { reportText } from '../../monitor/report/report-text.ts';
import type { Operations } from '../../operations/operations.ts';
import type { HostStats } from '../stats/host-stats.ts';
import type { Watching } from '../stats/watching.ts';

export function addReportRoute(
  operations: Pick<Operations, 'route'>,
  stats: Pick<HostStats, 'collect'>,
  watching: Pick<Watching, 'watch'>,
): void {
  operations.route({
    method: 'GET',
    path: '/report',
    handler: async (_, target) => {
      const report = watching.watch.report(await stats.collect());
      const isText = target.searchParams.get('format') === 'text';
      return { status: 200, body: isText ? reportText(report) : report };
    },
  });
}
