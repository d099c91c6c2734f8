import { pino } from 'pino';
import type { Config } from '../../config/config.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { lineFields } from './log-fields.ts';
import { descriptor, LogOutput } from './log-output.ts';

/**
 * Log lines on stdout, written before the call returns wherever the reader keeps up (log-output.ts). JSON, except on
 * a terminal, where a person reads. Of what is passed only plain values and named fields of errors are written
 * (log-fields.ts).
 */
export function createLogger(level: Config['logLevel'], bindings: Record<string, unknown>): Logger {
  const output = new LogOutput({
    clock: systemClock,
    write: descriptor(process.stdout),
    droppedLine: (lines) =>
      `${JSON.stringify({ level: 'warn', time: Date.now(), ...bindings, lines, msg: 'log lines were dropped: they were not read fast enough' })}\n`,
  });
  process.once('exit', () => output.flush());
  const options = {
    level,
    base: bindings,
    formatters: { level: (label: string) => ({ level: label }), log: lineFields },
    // `lineFields` has done it; pino's own would look into the result again.
    serializers: { err: (fields: unknown) => fields },
  };
  if (!process.stdout.isTTY) return pino(options, { write: (line: string) => output.write(line) });
  return pino(options, { write: (line: string) => output.write(forPeople(line)) });
}

const colours: Readonly<Record<string, string>> = { debug: '90', info: '36', warn: '33', error: '31' };

/** `12:30:59 info  draining why="told to drain" slot=0`; an error on lines of its own. */
function forPeople(line: string): string {
  const { level, time, pid: _, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = new Date(Number(time)).toTimeString().slice(0, 8);
  const label = `\u001b[${colours[String(level)] ?? '0'}m${String(level).padEnd(5)}\u001b[0m`;
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  return `${clock} ${label} ${String(msg)}\u001b[90m${rest.join('')}\u001b[0m${errorForPeople(err, '')}\n`;
}

function errorForPeople(err: unknown, before: string): string {
  if (typeof err !== 'object' || err === null) return '';
  const { type, message, stack, cause } = err as Record<string, unknown>;
  const frames = stack === undefined ? '' : `\n${String(stack)}`;
  return `\n${before}${String(type)}: ${String(message)}${frames}${errorForPeople(cause, 'Caused by ')}`;
}
