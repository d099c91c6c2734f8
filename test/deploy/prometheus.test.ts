// The dashboard and the alerts ask for metrics that there are, under labels that they have. Whether their PromQL is right
// Prometheus' own tool says, where it is installed.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { METRICS } from '../../src/monitor/metrics/all.ts';

const deploy = fileURLToPath(new URL('../../deploy', import.meta.url));
const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;

const FUNCTIONS =
  /^(sum|rate|increase|by|max|topk|scalar|histogram_quantile|and|or|on|le|label_values|instance|job|up)$/;
const declared = new Map(METRICS.map((metric) => [metric.name, metric]));

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string }[];
}

function dashboard(): { readonly panels: readonly Panel[]; readonly text: string } {
  const text = readFileSync(`${deploy}/grafana/coherent.json`, 'utf8');
  return { ...(JSON.parse(text) as { panels: Panel[] }), text };
}

const fromDashboard = dashboard().panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => [title, expr] as const),
);

/** Each `expr` of a rule, written in one line or in a block. */
const fromAlerts = [
  ...readFileSync(`${deploy}/prometheus/alerts.yml`, 'utf8').matchAll(
    /- alert: (\w+)\n\s+expr: (?:\|\n((?: {10,}.*\n)+)|(.*)\n)/g,
  ),
].map(([, alert = '', block, line]) => [alert, (block ?? line ?? '').trim()] as const);

/** What an expression asks for: name and labels. */
function asked(expr: string) {
  const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
  const bare = expr.replaceAll(/by \([^)]*\)/g, '');
  const selectors = [...bare.matchAll(/([a-z_][a-z0-9_]*)(?:\{([^}]*)\})?(?=[\s)[{/*+\-=<>,]|$)/g)].flatMap(
    ([whole, name = '', inside = '']) =>
      FUNCTIONS.test(name) || whole === ''
        ? []
        : [{ name, labels: [...inside.matchAll(/(\w+)[=!]/g)].map(([, l]) => l) }],
  );
  return { selectors, grouped };
}

describe.each([...fromDashboard, ...fromAlerts])('%s', (_title, expr) => {
  it(`asks for what there is: ${expr.replaceAll(/\s+/g, ' ')}`, () => {
    const { selectors, grouped } = asked(expr.replaceAll('$__rate_interval', '5m'));
    const labels = new Set<string | undefined>(['instance', 'job']);
    for (const { name } of selectors) {
      const metric = declared.get(name) ?? declared.get(name.replace(/_(bucket|sum|count)$/, ''));
      expect({ name, isThere: metric !== undefined }).toEqual({ name, isThere: true });
      for (const label of metric?.labels ?? []) labels.add(label);
      if (name.endsWith('_bucket')) labels.add('le');
      if (metric?.type === 'histogram') expect(name).toMatch(/_(bucket|sum|count)$/);
      // A counter is of use by its change alone.
      if (metric?.type === 'counter') expect(expr).toMatch(new RegExp(`(rate|increase)\\(${name}`));
    }
    const used = [...grouped, ...selectors.flatMap((each) => each.labels)];
    expect(used.filter((label) => !labels.has(label))).toEqual([]);
  });
});

describe('the deployment files for Prometheus', () => {
  it('have expressions at all', () => {
    expect(fromAlerts.length).toBe(
      [...readFileSync(`${deploy}/prometheus/alerts.yml`, 'utf8').matchAll(/- alert:/g)].length,
    );
    expect(fromDashboard.length).toBeGreaterThan(30);
    expect(
      dashboard()
        .panels.filter(({ type }) => type !== 'row')
        .every(({ targets = [] }) => targets.length > 0),
    ).toBe(true);
  });

  it.skipIf(!hasPromtool)('are right to promtool (skipped where it is not installed)', () => {
    const { status, stderr } = spawnSync('promtool', ['check', 'rules', `${deploy}/prometheus/alerts.yml`], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
