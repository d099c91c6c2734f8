import { flag, integer, oneOf, share, text } from '../kinds.ts';
import { setting } from './setting.ts';

const hostText = text('a host name or an IP address to listen on', /^[A-Za-z0-9.:_-]{1,253}$/);

export const operations = {
  opsPort: setting({
    name: 'OPS_PORT',
    kind: integer({ min: 0, max: 65_535 }),
    default: '3001',
    help: 'Port of the operations server: /livez, /readyz, POST /reload. 0 takes a free one.',
  }),
  opsHost: setting({
    name: 'OPS_HOST',
    kind: hostText,
    default: '127.0.0.1',
    help: 'Address of the operations server. Anything but loopback asks for OPS_TOKEN.',
  }),
  opsToken: setting({
    name: 'OPS_TOKEN',
    kind: text('at least 16 printable characters without spaces', /^[\x21-\x7e]{16,512}$/),
    help: 'Bearer token that the operations server asks for, except on the probes.',
    secret: true,
  }),
  debugToken: setting({
    name: 'DEBUG_TOKEN',
    kind: text('at least 16 printable characters without spaces', /^[\x21-\x7e]{16,512}$/),
    help: 'A client that sends it as X-Coherent-Token with a page request is told how the answer was made (Server-Timing, Surrogate-Key), and gets a new render for Cache-Control: no-cache. Not OPS_TOKEN: it crosses the public port.',
    secret: true,
  }),
  logLevel: setting({
    name: 'LOG_LEVEL',
    kind: oneOf(['debug', 'info', 'warn', 'error', 'silent']),
    default: 'info',
    help: 'The least important log lines that are written.',
  }),
  logPersonalErrors: setting({
    name: 'LOG_PERSONAL_ERRORS',
    kind: flag(),
    default: 'off',
    help: 'Whether what errors say is logged where it may quote a visitor: of personal pages, guards, actions and endpoints. off: their kind, code and place only.',
  }),
  accessLog: setting({
    name: 'ACCESS_LOG',
    kind: oneOf(['off', 'errors', 'sampled', 'all']),
    default: 'errors',
    help: 'Which answers get a log line: errors those of 500 and above and those cut off, sampled also the share ACCESS_LOG_SAMPLE of all others. Paths without queries, no headers.',
  }),
  accessLogSample: setting({
    name: 'ACCESS_LOG_SAMPLE',
    kind: share(),
    default: '0.01',
    help: 'The share of answers that ACCESS_LOG=sampled writes a line for.',
  }),
};
