import { auto, flag, integer, milliseconds, oneOf } from '../kinds.ts';
import { setting } from './setting.ts';
import { HOUR, SECOND } from './units.ts';

export const processes = {
  workers: setting({
    name: 'WORKERS',
    kind: auto(integer({ min: 1, max: 1024 })),
    default: 'auto',
    help: 'Render processes. auto: one per CPU that the machine and the container allow.',
  }),
  spareWorker: setting({
    name: 'SPARE_WORKER',
    kind: flag(),
    default: 'off',
    help: 'One more render process that has read its code and waits. When a worker dies it takes its place in a fraction of the time; it costs about 60 MiB.',
  }),
  clusterScheduling: setting({
    name: 'CLUSTER_SCHEDULING',
    kind: oneOf(['rr', 'none', 'reuseport']),
    default: 'rr',
    help: 'Who hands out connections: rr the primary in turn, none the kernel from one socket, reuseport the kernel from one socket per worker (Linux, Node 22.12 or newer).',
  }),
  uvThreadpoolSize: setting({
    name: 'UV_THREADPOOL_SIZE',
    kind: integer({ min: 1, max: 1024 }),
    default: '4',
    help: 'Threads of each worker for files, DNS and compression. The default is that of Node; no other was measured.',
  }),
  heapMaxMb: setting({
    name: 'HEAP_MAX_MB',
    kind: auto(integer({ min: 64, max: 1_048_576, unit: 'MiB' })),
    default: 'auto',
    help: 'Limit of the JavaScript heap of each worker. auto: three quarters of the memory of the container or machine, less 96 MiB and L1_MAX_BYTES, divided among the workers; 128 to 4096.',
  }),
  semiSpaceMb: setting({
    name: 'SEMI_SPACE_MB',
    kind: integer({ min: 1, max: 256, unit: 'MiB' }),
    default: '32',
    help: 'Limit of a semi-space of the young generation of each worker. Larger: fewer collections of what one render leaves behind, more memory. The default is a choice, not measured.',
  }),
  bootTimeoutMs: setting({
    name: 'BOOT_TIMEOUT_MS',
    kind: milliseconds({ min: SECOND, max: HOUR }),
    default: '30000',
    help: 'A worker that is not ready after this is replaced.',
  }),
  heartbeatTimeoutMs: setting({
    name: 'HEARTBEAT_TIMEOUT_MS',
    kind: milliseconds({ min: SECOND, max: HOUR }),
    default: '10000',
    help: 'A process whose event loop is silent for this long is replaced: render worker, feed, services. One that a signal has stopped is replaced within 5 s.',
  }),
};
