// One metric of /metrics: what it is called, what it means, and how it is read off the figures of the host. Written in the
// text format of Prometheus, version 0.0.4.
import { DURATION_BOUNDS_MS, type HistogramStats } from '../../core/histogram.ts';
import type { HostSnapshot, WorkerSnapshot } from '../snapshot.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export interface HistogramSample {
  readonly labels: Labels;
  /** Upper bounds in the metric's own unit, and how many lay at or below each and above the one before. */
  readonly buckets: readonly (readonly [upTo: string, count: number])[];
  readonly sum: number;
  readonly count: number;
}

interface Described {
  /** Ends in its unit, and in `_total` where it only grows. */
  readonly name: string;
  readonly help: string;
  /** Those that every sample has. Values are templates, names of ours, slots: never what a visitor sent. */
  readonly labels: readonly string[];
}

export interface PlainMetric extends Described {
  readonly type: 'counter' | 'gauge';
  readonly samples: (box: HostSnapshot) => readonly Sample[];
}

export interface HistogramMetric extends Described {
  readonly type: 'histogram';
  readonly samples: (box: HostSnapshot) => readonly HistogramSample[];
}

export type Metric = PlainMetric | HistogramMetric;

export function counter(
  name: string,
  help: string,
  labels: readonly string[],
  samples: PlainMetric['samples'],
): PlainMetric {
  return { type: 'counter', name, help, labels, samples };
}

export function gauge(
  name: string,
  help: string,
  labels: readonly string[],
  samples: PlainMetric['samples'],
): PlainMetric {
  return { type: 'gauge', name, help, labels, samples };
}

/** Of a worker that answers no more there is no level: its last one would look like today's. */
export function levelOfWorkers(
  name: string,
  help: string,
  read: (worker: WorkerSnapshot) => number | null,
): PlainMetric {
  return gauge(name, help, ['slot'], (box) =>
    answeredWorkers(box).flatMap((worker) =>
      one(read(worker)).map(({ value }) => ({ labels: { slot: String(worker.slot) }, value })),
    ),
  );
}

export function answeredWorkers({ workers }: HostSnapshot): WorkerSnapshot[] {
  return workers.flatMap(({ answered, snapshot }) => (answered && snapshot !== undefined ? [snapshot] : []));
}

export function histogram(
  name: string,
  help: string,
  labels: readonly string[],
  samples: HistogramMetric['samples'],
): HistogramMetric {
  return { type: 'histogram', name, help, labels, samples };
}

/** One number without labels. */
/** None where it is not known. */
export function one(value: number | null): readonly Sample[] {
  return value === null ? [] : [{ labels: {}, value }];
}

export function inSeconds(labels: Labels, { count, sumMs, buckets }: HistogramStats): HistogramSample {
  const bounds = [...DURATION_BOUNDS_MS.map((ms) => String(ms / 1000)), '+Inf'];
  return {
    labels,
    count,
    sum: sumMs / 1000,
    buckets: bounds.map((upTo, at) => [upTo, buckets[at] ?? 0] as const),
  };
}

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** A metric without samples is left out, as clients of Prometheus do. */
export function writeMetrics(metrics: readonly Metric[], box: HostSnapshot): string {
  const lines: string[] = [];
  for (const metric of metrics) {
    const samples = metric.type === 'histogram' ? histogramLines(metric, box) : plainLines(metric, box);
    if (samples.length === 0) continue;
    lines.push(`# HELP ${metric.name} ${metric.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`);
    lines.push(`# TYPE ${metric.name} ${metric.type}`, ...samples);
  }
  return `${lines.join('\n')}\n`;
}

function plainLines({ name, samples }: PlainMetric, box: HostSnapshot): string[] {
  return samples(box).map(({ labels, value }) => `${name}${labelText(labels)} ${value}`);
}

function histogramLines({ name, samples }: HistogramMetric, box: HostSnapshot): string[] {
  return samples(box).flatMap(({ labels, buckets, sum, count }) => {
    let below = 0;
    const lines = buckets.map(([upTo, inside]) => {
      below += inside;
      return `${name}_bucket${labelText({ ...labels, le: upTo })} ${below}`;
    });
    return [...lines, `${name}_sum${labelText(labels)} ${sum}`, `${name}_count${labelText(labels)} ${count}`];
  });
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
