// The points that are drawn, as the columns that uPlot wants.
import type { ChartPoint } from '../data/frame.ts';

/** What is drawn: the last ten minutes. */
const WINDOW_MS = 10 * 60 * 1000;
const MOST = 1200;

export class History {
  #points: ChartPoint[] = [];

  reset(points: readonly ChartPoint[]): void {
    const lastMs = points.at(-1)?.atMs ?? 0;
    this.#points = points.filter(({ atMs }) => lastMs - atMs <= WINDOW_MS);
  }

  add(point: ChartPoint): void {
    const last = this.#points.at(-1);
    if (last !== undefined && point.atMs <= last.atMs) return;
    this.#points.push(point);
    const first = this.#points.findIndex(({ atMs }) => point.atMs - atMs <= WINDOW_MS);
    this.#points = this.#points.slice(Math.max(first, this.#points.length - MOST));
  }

  /** Seconds, then a column for each. null is a gap. */
  columns(of: readonly ((point: ChartPoint) => number | null | undefined)[]): (number | null)[][] {
    const times = this.#points.map(({ atMs }) => atMs / 1000);
    return [times, ...of.map((value) => this.#points.map((point) => value(point) ?? null))];
  }
}
