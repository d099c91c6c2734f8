import type { Logger } from '../core/log.ts';
import type { Tracing } from '../core/trace.ts';

/** Lines say which trace they belong to, by the names that log collectors look for. */
export function tracedLog(log: Logger, trace: Tracing): Logger {
  if (!trace.isOn) return log;
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error'): Logger['info'] =>
    (fields, message) =>
      log[level]({ ...trace.ids(), ...fields }, message);
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (bindings) => tracedLog(log.child(bindings), trace),
  };
}
