import { auto, milliseconds } from '../kinds.ts';
import { setting } from './setting.ts';
import { HOUR, SECOND } from './units.ts';

export const stopping = {
  shutdownDelayMs: setting({
    name: 'SHUTDOWN_DELAY_MS',
    kind: auto(milliseconds({ min: 0, max: HOUR })),
    default: 'auto',
    help: 'After SIGTERM the server says "not ready" and goes on serving for this long, so that the balancer can turn away. auto: 5000 with NODE_ENV=production, else 0.',
  }),
  drainTimeoutMs: setting({
    name: 'DRAIN_TIMEOUT_MS',
    kind: milliseconds({ min: 0, max: HOUR }),
    default: '15000',
    help: 'How long requests in flight may take to finish once a worker stops.',
  }),
  graceMs: setting({
    name: 'GRACE_MS',
    kind: milliseconds({ min: SECOND, max: 2 * HOUR }),
    default: '30000',
    help: 'What the orchestrator allows between SIGTERM and SIGKILL. SHUTDOWN_DELAY_MS + DRAIN_TIMEOUT_MS + 3000 must fit in it.',
  }),
};
