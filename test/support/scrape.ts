// What Prometheus reads off /metrics, refused where it is not exactly of the text format.

export interface Scrape {
  readonly status: number;
  readonly contentType: string | null;
  /** counter, gauge or histogram, by name. */
  readonly types: ReadonlyMap<string, string>;
  /** By the series as it is written: name and labels. */
  readonly series: ReadonlyMap<string, number>;
}

const SERIES = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+)$/;
const TYPE = /^# TYPE (\S+) (counter|gauge|histogram)$/;

/** Errors: a line that is of no use to Prometheus. */
export async function scrape(operationsUrl: string, token?: string): Promise<Scrape> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(new URL('/metrics', operationsUrl), { headers });
  const text = await response.text();
  const types = new Map<string, string>();
  const series = new Map<string, number>();
  for (const line of response.ok ? text.trimEnd().split('\n') : []) {
    const [, typed, type] = TYPE.exec(line) ?? [];
    if (typed !== undefined && type !== undefined) {
      if (types.has(typed)) throw new Error(`${typed} is declared twice`);
      types.set(typed, type);
    }
    if (line.startsWith('#')) continue;
    const [, name, labels = '', value] = SERIES.exec(line) ?? [];
    if (name === undefined || !Number.isFinite(Number(value))) throw new Error(`No series: ${line}`);
    if (series.has(name + labels)) throw new Error(`Twice: ${name}${labels}`);
    series.set(name + labels, Number(value));
  }
  return { status: response.status, contentType: response.headers.get('content-type'), types, series };
}

/** The name of the metric that a series belongs to. */
export function metricOf(series: string): string {
  return series.replace(/\{.*$/s, '').replace(/_(bucket|sum|count)$/, '');
}

/** Series that only grow: counters, and all of a histogram. */
function growing({ types, series }: Scrape): Map<string, number> {
  return new Map(
    [...series].filter(([key]) => {
      const type = types.get(key.replace(/\{.*$/s, '')) ?? types.get(metricOf(key));
      return type === 'counter' || type === 'histogram';
    }),
  );
}

/** Series of `before` that are smaller in `after`, or gone. */
export function wentBack(before: Scrape, after: Scrape): string[] {
  const now = growing(after);
  return [...growing(before)].flatMap(([key, value]) => {
    const later = now.get(key);
    return later === undefined || later < value ? [`${key}: ${value} -> ${later}`] : [];
  });
}
