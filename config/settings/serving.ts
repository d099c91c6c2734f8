import { hosts, integer, milliseconds, networks, origin, secrets, text } from '../kinds.ts';
import { setting } from './setting.ts';
import { HOUR, MINUTE, SECOND } from './units.ts';

const hostText = text('a host name or an IP address to listen on', /^[A-Za-z0-9.:_-]{1,253}$/);
const HSTS = /^(off|max-age=\d{1,10}(; ?includeSubDomains)?(; ?preload)?)$/;
const folder = text('a path', /^[^\0]{1,4000}$/);

export const serving = {
  port: setting({
    name: 'PORT',
    kind: integer({ min: 0, max: 65_535 }),
    default: '3000',
    help: 'Port of the pages. 0 takes a free one.',
  }),
  host: setting({
    name: 'HOST',
    kind: hostText,
    default: '0.0.0.0',
    help: 'Address the pages are served on.',
  }),
  publicOrigin: setting({
    name: 'PUBLIC_ORIGIN',
    kind: origin(),
    help: 'What visitors type: scheme and host. Makes canonical links absolute; unset leaves them relative.',
  }),
  allowedHosts: setting({
    name: 'ALLOWED_HOSTS',
    kind: hosts(),
    help: 'The only hosts that pages are served for; others get 421. That of PUBLIC_ORIGIN is always one of them. Unset: every host. Health checks of a balancer that ask the pages by address need that address here.',
  }),
  trustedProxies: setting({
    name: 'TRUSTED_PROXIES',
    kind: networks(),
    help: 'Proxies in front, by address: from them alone X-Forwarded-For (the address of the visitor in logs) and X-Forwarded-Proto (whether there is TLS) are believed. Unset: from none.',
  }),
  hsts: setting({
    name: 'HSTS',
    kind: text('off, or like max-age=31536000; includeSubDomains', HSTS),
    default: 'max-age=31536000',
    help: 'Strict-Transport-Security, sent where there is TLS in front: PUBLIC_ORIGIN is https, or, without PUBLIC_ORIGIN, a trusted proxy says X-Forwarded-Proto: https.',
  }),
  sessionSecret: setting({
    name: 'SESSION_SECRET',
    kind: secrets(),
    help: "What visitors' sessions are sealed with: the same on every host, at least 32 characters (openssl rand -base64 32). With a comma between them new,old: the first seals, each opens, so that it can be replaced while people are signed in. Unset in development: made once and kept in DATA_DIR; in production an application with sessions does not start without it.",
    secret: true,
  }),
  maxConnections: setting({
    name: 'MAX_CONNECTIONS',
    kind: integer({ min: 16, max: 1_000_000 }),
    default: '20000',
    help: 'Connections of visitors to each worker. Beyond, those that wait for their clients are closed for new ones. The limit on open files of the process must allow for them.',
  }),
  sendTimeoutMs: setting({
    name: 'SEND_TIMEOUT_MS',
    kind: milliseconds({ min: SECOND, max: HOUR }),
    default: '30000',
    help: 'A client that takes less than 512 bytes a second of its response over this long is cut off.',
  }),
  app: setting({
    name: 'APP',
    kind: folder,
    help: 'Folder of the compiled application (pages/, fragments/, public/). Unset: dist/ of the current folder where coherent-server build has made it, else the sample that came with the server.',
  }),
  buildId: setting({
    name: 'BUILD_ID',
    kind: text('up to 100 visible characters without spaces', /^[\x21-\x7e]{1,100}$/),
    help: 'Names the build of the application; no cached page outlives it. Set it (a commit, an image digest) where code is read that imports do not show. Unset: a hash of APP, what it imports, public/ and buildFiles.',
  }),
  keepAliveTimeoutMs: setting({
    name: 'KEEP_ALIVE_TIMEOUT_MS',
    kind: milliseconds({ min: 1, max: 10 * MINUTE }),
    default: '72000',
    help: 'How long an idle connection is kept. Longer than that of the proxy in front, or it meets closed ones.',
  }),
};
