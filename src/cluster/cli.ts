// The command line: which command, and which of its switches. What a command does is wired in server.ts.
import { parseArgs } from 'node:util';
import { UsageError } from './errors.ts';

export type Command =
  | { readonly name: 'start' }
  | { readonly name: 'config'; readonly json: boolean }
  | { readonly name: 'db setup' }
  | { readonly name: 'help' }
  | { readonly name: 'version' };

export const usage = `Usage: coherent-server [command]

Commands:
  start            serve (what happens without a command)
  config [--json]  print the effective settings and where each comes from; secrets are masked
  db setup         create the application's tables and rows in DATABASE_URL, once

Options:
  -h, --help       print this
  -v, --version    print the version

Settings come from the environment and from .env: docs/configuration.md lists them.
`;

/** Throws `E_USAGE`. */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args);
  if (values.help === true) return { name: 'help' };
  if (values.version === true) return { name: 'version' };
  const name = positionals.length === 0 ? 'start' : positionals.join(' ');
  if (name === 'config') return { name, json: values.json === true };
  if (values.json === true) throw new UsageError('--json belongs to the command config');
  if (name === 'start' || name === 'db setup') return { name };
  throw new UsageError(`there is no command "${name}"`);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
        json: { type: 'boolean' },
      },
    });
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
