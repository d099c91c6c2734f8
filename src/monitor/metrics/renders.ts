import type { Counts } from '../counts.ts';
import { counter, histogram, inSeconds, levelOfWorkers, type Metric, type PlainMetric } from './metric.ts';

const ofPages = (name: string, help: string, read: (page: Counts['pages'][number]) => number): PlainMetric =>
  counter(name, help, ['http_route'], ({ counts }) =>
    counts.pages.map((page) => ({ labels: { http_route: page.route }, value: read(page) })),
  );

const ofFragments = (
  name: string,
  help: string,
  read: (fragment: Counts['fragments'][number]) => number,
): PlainMetric =>
  counter(name, help, ['fragment'], ({ counts }) =>
    counts.fragments.map((each) => ({ labels: { fragment: each.fragment }, value: read(each) })),
  );

const ofComponents = (
  name: string,
  help: string,
  read: (component: Counts['components'][number]) => number,
): PlainMetric =>
  counter(name, help, ['component'], ({ counts }) =>
    counts.components.map((each) => ({ labels: { component: each.component }, value: read(each) })),
  );

export const renderMetrics: readonly Metric[] = [
  histogram(
    'coherent_render_duration_seconds',
    'Renders of pages, whether requests waited for them or not: load, view, serialising, compressing.',
    ['http_route'],
    ({ counts }) =>
      counts.pages
        .filter(({ durations }) => durations.count > 0)
        .map(({ route, durations }) => inSeconds({ http_route: route }, durations)),
  ),
  ofPages(
    'coherent_render_failures_total',
    'Renders that threw or were stopped.',
    ({ failures }) => failures,
  ),
  ofPages('coherent_render_slow_total', 'Renders slower than SLOW_RENDER_MS.', ({ slow }) => slow),
  ofPages('coherent_render_html_bytes_total', 'HTML rendered, uncompressed.', ({ htmlBytes }) => htmlBytes),
  histogram(
    'coherent_fragment_render_duration_seconds',
    'Renders of fragments, the fragments inside included.',
    ['fragment'],
    ({ counts }) => counts.fragments.map(({ fragment, durations }) => inSeconds({ fragment }, durations)),
  ),
  counter(
    'coherent_fragment_requests_total',
    'Uses of fragments that are cached, by what the cache had: hit, stale, miss.',
    ['fragment', 'result'],
    ({ counts }) =>
      counts.fragments.flatMap(({ fragment, hits, stale, misses }) => [
        { labels: { fragment, result: 'hit' }, value: hits },
        { labels: { fragment, result: 'stale' }, value: stale },
        { labels: { fragment, result: 'miss' }, value: misses },
      ]),
  ),
  ofFragments(
    'coherent_fragment_render_failures_total',
    'Renders that threw or were stopped.',
    (each) => each.failures,
  ),
  ofFragments('coherent_fragment_html_bytes_total', 'HTML rendered.', (each) => each.htmlBytes),
  ofComponents(
    'coherent_component_sampled_calls_total',
    'Calls of functions in the tree, by their names, in one page render of sixteen.',
    ({ calls }) => calls,
  ),
  ofComponents(
    'coherent_component_sampled_seconds_total',
    'How long those calls took, without what they returned.',
    ({ totalMs }) => totalMs / 1000,
  ),
  counter(
    'coherent_unhandled_rejections_total',
    'Promises of the application that were rejected while nothing awaited them, by the file of the application, or the page, fragment or action under way.',
    ['where'],
    ({ counts }) => counts.rejections.map(({ where, rejected }) => ({ labels: { where }, value: rejected })),
  ),
  levelOfWorkers(
    'coherent_renders_in_flight',
    'Fills of pages under way.',
    ({ renders }) => renders.inFlight,
  ),
  levelOfWorkers(
    'coherent_renders_waited_for',
    'Of these, those that visitors wait for.',
    ({ renders }) => renders.waitedFor,
  ),
  levelOfWorkers('coherent_renders_queued', 'Background renders that wait.', ({ renders }) => renders.queued),
];
