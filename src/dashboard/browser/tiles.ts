// Six figures that answer "how is it?" without reading further.
import type { Frame } from '../data/frame.ts';
import { byId, find } from './dom.ts';
import { count, duration, type Measure, rate, share, text, UNKNOWN } from './format.ts';
import { setText } from './table.ts';

export function showTiles({ box, coherence, workers }: Frame): void {
  tile(
    'rps',
    rate(box.requestsPerSecond),
    known(box.inFlight, () => `${text(count(box.inFlight))} in flight, ${text(count(box.connections))} open`),
  );
  tile(
    'hits',
    share(box.hitShare),
    box.hitShare === null ? 'no page was asked for' : 'of requests for pages',
    tone(box.hitShare, 0.5),
  );
  tile(
    'latency',
    duration(box.p99Ms),
    known(box.p50Ms, () => `p50 ${text(duration(box.p50Ms))}, last 30 s`),
  );
  tile('renders', rate(box.rendersPerSecond), ...troubles(box));
  const { trusting } = coherence;
  const heard = workers.filter(({ state }) => state === 'serving').length;
  const deaf = trusting !== null && trusting < heard;
  tile(
    'purges',
    rate(coherence.purgesPerSecond),
    deaf ? `${heard - trusting} of ${heard} workers degraded` : feedSaid(coherence.feed),
    deaf ? 'bad' : undefined,
  );
  tile(
    'applied',
    duration(coherence.appliedP99Ms),
    known(
      coherence.appliedP50Ms,
      () => `p50 ${text(duration(coherence.appliedP50Ms))}, last 30 s`,
      'no commit in the last 30 s',
    ),
  );
}

/** The worst that is to be said of renders, and how it looks. */
function troubles({ errorsPerSecond, shedPerSecond, overloadLevel }: Frame['box']): [string, string?] {
  if ((shedPerSecond ?? 0) > 0) return [`overloaded: ${text(rate(shedPerSecond))} refused`, 'bad'];
  if ((errorsPerSecond ?? 0) > 0) return [`${text(rate(errorsPerSecond))} answers of 5xx`, 'bad'];
  if (overloadLevel === 'stale' || overloadLevel === 'shed')
    return ['overloaded: older pages served', 'warn'];
  return [errorsPerSecond === null ? 'no data yet' : 'no errors'];
}

function known(value: number | null, say: () => string, otherwise = 'no data yet'): string {
  return value === null ? otherwise : say();
}

function tone(value: number | null, low: number): string | undefined {
  return value !== null && value < low ? 'warn' : undefined;
}

function feedSaid(feed: string): string {
  return feed === 'off' ? 'change feed off' : `change feed ${feed}`;
}

function tile(id: string, { text: figure, unit }: Measure, aside: string, mood?: string): void {
  const place = byId(`tile-${id}`);
  setText(find(place, '.figure b'), figure);
  setText(find(place, '.figure span'), figure === UNKNOWN ? '' : unit);
  setText(find(place, '.aside'), aside);
  if (mood === undefined) delete place.dataset.tone;
  else place.dataset.tone = mood;
}
