import { auto, bytes, flag, integer, milliseconds, oneOf, text, url } from '../kinds.ts';
import { setting } from './setting.ts';
import { HOUR, MiB, TiB } from './units.ts';

/** Each part at most once. */
const ROLLOUT =
  /^(?!.*\b(l1|l2|l3|fragments|static|refresh)=.*\b\1=)(l1|l2|l3|fragments|static|refresh)=(100|\d{1,2}(\.\d{1,2})?)(,(l1|l2|l3|fragments|static|refresh)=(100|\d{1,2}(\.\d{1,2})?))*$/;

export const caching = {
  purgeWebhookUrl: setting({
    name: 'PURGE_WEBHOOK_URL',
    kind: url(['http:', 'https:'], 'https://hooks.example.org/purged'),
    help: 'Is told of every purge: a signed POST with the keys, at least once each, kept in the database until it answers 2xx. Needs PURGE_WEBHOOK_SECRET and the change feed.',
    secret: true,
  }),
  purgeWebhookSecret: setting({
    name: 'PURGE_WEBHOOK_SECRET',
    kind: text('at least 16 printable characters without spaces', /^[\x21-\x7e]{16,512}$/),
    help: 'Shared with the receiver of PURGE_WEBHOOK_URL: X-Coherent-Signature is an HMAC with it.',
    secret: true,
  }),
  cdnPurge: setting({
    name: 'CDN_PURGE',
    kind: oneOf(['fastly']),
    help: 'Passes purges on to the CDN in front, by surrogate key. Needs SURROGATE_KEYS, CDN_PURGE_URL, CDN_PURGE_TOKEN and the change feed. For others use PURGE_WEBHOOK_URL, whose body has the surrogate keys.',
  }),
  cdnPurgeUrl: setting({
    name: 'CDN_PURGE_URL',
    kind: url(['http:', 'https:'], 'https://api.fastly.com/service/SU1Z0isxPaozGVKXdv0eY'),
    help: 'Where CDN_PURGE is said. For fastly: the address of the service; /purge and /purge_all are added.',
  }),
  cdnPurgeToken: setting({
    name: 'CDN_PURGE_TOKEN',
    kind: text('printable characters without spaces', /^[\x21-\x7e]{1,512}$/),
    help: 'Allows CDN_PURGE.',
    secret: true,
  }),
  surrogateKeys: setting({
    name: 'SURROGATE_KEYS',
    kind: flag(),
    default: 'off',
    help: 'Tell caches in front what each page was made from (Surrogate-Key, Cache-Groups), so that purges can be passed on to them. Names tables and ids.',
  }),
  l1MaxBytes: setting({
    name: 'L1_MAX_BYTES',
    kind: bytes({ min: 0, max: TiB }),
    default: '100MB',
    help: 'Memory for cached pages in all workers of this host together. 0 turns the tier off.',
  }),
  l2: setting({
    name: 'L2',
    kind: flag(),
    default: 'on',
    help: 'Cached pages in Redis, shared by all hosts. Needs REDIS_URL.',
  }),
  l3: setting({
    name: 'L3',
    kind: flag(),
    default: 'on',
    help: 'Cached pages on disk under DATA_DIR, shared by the workers of this host and kept across restarts.',
  }),
  l3MaxBytes: setting({
    name: 'L3_MAX_BYTES',
    kind: bytes({ min: MiB, max: 1024 * TiB }),
    default: '1GB',
    help: 'Disk for cached pages on this host.',
  }),
  coherenceBoundMs: setting({
    name: 'COHERENCE_BOUND_MS',
    kind: milliseconds({ min: 200, max: HOUR }),
    default: '2000',
    help: 'No page is served longer than this after its data changed, whatever has failed.',
  }),
  degradedTtlMs: setting({
    name: 'DEGRADED_TTL_MS',
    kind: auto(milliseconds({ min: 0, max: HOUR })),
    default: 'auto',
    help: 'How long a page lives while purges cannot be heard. auto: half of COHERENCE_BOUND_MS, which is also the most.',
  }),
  coherenceSampleEvery: setting({
    name: 'COHERENCE_SAMPLE_EVERY',
    kind: integer({ min: 0, max: 1_000_000 }),
    default: '100',
    help: 'Of one in so many purges a few pages are looked at again after 0.1, 1 and 10 s: is what was made before still served? The figures tell the share. 0: never.',
  }),

  warmTimeoutMs: setting({
    name: 'WARM_TIMEOUT_MS',
    kind: milliseconds({ min: 0, max: HOUR }),
    default: '5000',
    help: 'Before a worker takes visitors it makes the pages that app.js lists (warm) and those wanted last in the run before, for at most this long. 0: it does not. Shorter than BOOT_TIMEOUT_MS.',
  }),
  rollout: setting({
    name: 'ROLLOUT',
    kind: text('a list like l2=10,fragments=50: percent of keys, 0 to 100', ROLLOUT),
    help: 'Parts of the cache for a share of the keys only: l1, l2, l3, fragments, static, refresh. What is not named is on for all. A key stays in its cohort, on every worker of every host, and while the share grows.',
  }),
};
