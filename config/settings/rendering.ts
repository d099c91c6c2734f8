import { auto, integer, milliseconds } from '../kinds.ts';
import { setting } from './setting.ts';
import { HOUR, MINUTE } from './units.ts';

export const rendering = {
  renderTimeoutMs: setting({
    name: 'RENDER_TIMEOUT_MS',
    kind: milliseconds({ min: 1, max: HOUR }),
    default: '10000',
    help: 'A render is stopped after this and answers 503.',
  }),
  renderSoftTimeoutMs: setting({
    name: 'RENDER_SOFT_TIMEOUT_MS',
    kind: milliseconds({ min: 1, max: HOUR }),
    default: '500',
    help: 'Where a stale page is at hand it is served after this, and the render goes on behind it.',
  }),

  renderConcurrency: setting({
    name: 'RENDER_CONCURRENCY',
    kind: auto(integer({ min: 1, max: 10_000 })),
    default: 'auto',
    help: 'Pages that one worker renders at the same time; more stand in a line. auto: twice DB_POOL_MAX.',
  }),
  renderLineMs: setting({
    name: 'RENDER_LINE_MS',
    kind: milliseconds({ min: 1, max: HOUR }),
    default: '1000',
    help: 'How long a request waits for its turn to have a page rendered, at most. One that would have to wait longer is answered 503 at once; in a queue that does not end, a fifth of it.',
  }),
  overloadStaleMs: setting({
    name: 'OVERLOAD_STALE_MS',
    kind: milliseconds({ min: 0, max: 24 * HOUR }),
    default: '60000',
    help: 'While a worker is overloaded a page is served for so much longer than its own times allow. Never one whose data was purged. 0: the times of the page hold.',
  }),
  overloadLoopDelayMs: setting({
    name: 'OVERLOAD_LOOP_DELAY_MS',
    kind: milliseconds({ min: 1, max: MINUTE }),
    default: '200',
    help: 'A worker whose event loop is late by more than this (99th percentile of a second, three times in a row) is overloaded.',
  }),
  overloadUtilization: setting({
    name: 'OVERLOAD_UTILIZATION',
    kind: integer({ min: 1, max: 100, unit: '%' }),
    default: '95',
    help: 'A worker whose event loop is busy for more than this share of the time (three seconds in a row) refreshes nothing in the background and serves older pages where it may. 100: never for that reason.',
  }),

  slowRenderMs: setting({
    name: 'SLOW_RENDER_MS',
    kind: milliseconds({ min: 0, max: HOUR }),
    default: '10',
    help: 'Renders of a page or a fragment slower than this are counted as slow; the last are kept with why they ran.',
  }),
};
