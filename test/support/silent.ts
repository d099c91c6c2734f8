import type { Logger } from '../../src/core/log.ts';

/** A logger for tests that do not look at the log. */
export const silent: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silent,
};
