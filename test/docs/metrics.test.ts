import { expect, it } from 'vitest';
import { METRICS } from '../../src/monitor/metrics/all.ts';

const TITLE = `# Metrics

What \`/metrics\` on the operations port tells, for all workers of a host in one answer. Written from the source by
\`npx vitest run -u test/docs/metrics.test.ts\`. Do not edit by hand.

Counters and histograms are sums over all workers since the start of the host, those that are gone included. Gauges with
\`slot\` are those of the worker in that place, and absent while it does not answer.
`;

it('docs/metrics.md lists what /metrics tells', async () => {
  const rows = METRICS.map(({ name, type, labels, help }) => {
    const named = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${named} | ${help.replaceAll('|', '\\|')} |`;
  });
  const table = ['| metric | type | labels | |', '|---|---|---|---|', ...rows].join('\n');
  await expect(`${TITLE}\n${table}\n`).toMatchFileSnapshot('../../docs/metrics.md');
});

it.each(METRICS.map((metric) => [metric.name, metric] as const))(
  '%s is named as it is counted',
  (name, metric) => {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(name.endsWith('_total')).toBe(metric.type === 'counter');
    // No thousandths: Prometheus wants base units.
    expect(name).not.toMatch(/_(ms|milliseconds|kb|mb|percent)(_|$)/);
    if (metric.type === 'histogram') expect(name).toMatch(/_seconds$/);
  },
);
