import { pino } from 'pino';
import type { Config } from '../../config/config.ts';
import type { Logger } from '../core/log.ts';

/**
 * Log lines on stdout, written before the call returns: the last words of a process are the ones that matter.
 * JSON, except on a terminal, where a person reads.
 */
export function createLogger(level: Config['logLevel'], bindings: Record<string, unknown>): Logger {
  const options = { level, base: bindings, formatters: { level: (label: string) => ({ level: label }) } };
  const stdout = pino.destination({ fd: 1, sync: true });
  if (!process.stdout.isTTY) return pino(options, stdout);
  return pino(options, { write: (line: string) => stdout.write(forPeople(line)) });
}

const colours: Readonly<Record<string, string>> = { debug: '90', info: '36', warn: '33', error: '31' };

/** `12:30:59 info  draining why="told to drain" slot=0`; a stack on lines of its own. */
function forPeople(line: string): string {
  const { level, time, pid: _, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = new Date(Number(time)).toTimeString().slice(0, 8);
  const label = `\u001b[${colours[String(level)] ?? '0'}m${String(level).padEnd(5)}\u001b[0m`;
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  const stack = typeof err === 'object' && err !== null && 'stack' in err ? `\n${String(err.stack)}` : '';
  return `${clock} ${label} ${String(msg)}\u001b[90m${rest.join('')}\u001b[0m${stack}\n`;
}
