// The command line: which command, and which of its switches. What a command does is wired in server.ts.
import { parseArgs } from 'node:util';
import { UsageError } from './errors.ts';

export type Command =
  | { readonly name: 'start' }
  | { readonly name: 'config'; readonly json: boolean }
  | { readonly name: 'db setup'; readonly sample: boolean }
  | { readonly name: 'db remove'; readonly force: boolean }
  | { readonly name: 'db prepare'; readonly role: string | undefined }
  | {
      readonly name: 'purge';
      readonly keys: readonly string[];
      readonly expire: boolean;
      readonly wait: boolean;
    }
  | { readonly name: 'explain'; readonly what: string; readonly json: boolean }
  | { readonly name: 'report'; readonly json: boolean }
  | { readonly name: 'top'; readonly once: boolean }
  | { readonly name: 'help' }
  | { readonly name: 'version' };

export const usage = `Usage: coherent-server [command]

Commands:
  start            serve (what happens without a command)
  config [--json]  print the effective settings and where each comes from; secrets are masked
  db setup [--sample]
                   create the tables and rows of the application that APP names in DATABASE_URL, once. --sample: those
                   of the sample application
  db remove [--force]
                   take out of the database what the change feed keeps there: replication slot, publications, event
                   triggers, schema coherent. Stop the fleet first. --force: also while a feed is connected
  db prepare [ROLE] print the SQL by which a superuser lets the change feed work for that role (of DATABASE_URL)
  purge KEY... [--expire] [--wait]
                   purge what was made from these keys, on every host; with a * a key is a pattern. --expire: it
                   may still be served while a new one is made. --wait: until every worker has applied it
  explain PATH|KEY [--json]
                   /users/17: what the page was made from, and by which statement. users#17: which pages and
                   fragments a purge would hit. JSON also where the output is no terminal
  report [--json]  the last hour of the running server: renders, hit rates, memory, slowest pages and statements,
                   alerts, and what would make it faster
  top [--once]     workers, tiers and pages of the running server, drawn anew each second; q leaves. --once, and
                   where the output is no terminal: printed once

Options:
  -h, --help       print this
  -v, --version    print the version

purge, explain, report and top ask the running server: OPS_HOST, OPS_PORT and OPS_TOKEN say where and as whom.

Settings come from the environment and from .env: docs/configuration.md lists them.
`;

/** Throws `E_USAGE`. */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args);
  if (values.help === true) return { name: 'help' };
  if (values.version === true) return { name: 'version' };
  const [first, ...rest] = positionals;
  if (first === 'purge') {
    if (values.json === true) throw new UsageError('--json belongs to the commands config and report');
    if (rest.length === 0) throw new UsageError('purge needs the keys to purge: users#17, for one');
    return { name: 'purge', keys: rest, expire: values.expire === true, wait: values.wait === true };
  }
  if (values.expire === true || values.wait === true) {
    throw new UsageError('--expire and --wait belong to the command purge');
  }
  if (first === 'top' && rest.length === 0 && values.json !== true) {
    return { name: 'top', once: values.once === true };
  }
  if (values.once === true) throw new UsageError('--once belongs to the command top');
  if (first === 'db' && rest[0] === 'remove' && rest.length === 1 && values.sample !== true)
    return { name: 'db remove', force: values.force === true };
  if (values.force === true) throw new UsageError('--force belongs to the command db remove');
  if (first === 'db' && rest[0] === 'setup' && rest.length === 1 && values.json !== true)
    return { name: 'db setup', sample: values.sample === true };
  if (values.sample === true) throw new UsageError('--sample belongs to the command db setup');
  if (first === 'explain') {
    const [what, more] = rest;
    if (what === undefined || more !== undefined) throw new UsageError('explain takes one path or one key');
    return { name: 'explain', what, json: values.json === true };
  }
  if (first === 'db' && rest[0] === 'prepare') {
    if (rest.length > 2) throw new UsageError('db prepare takes one role, or that of DATABASE_URL');
    return { name: 'db prepare', role: rest[1] };
  }
  const name = positionals.length === 0 ? 'start' : positionals.join(' ');
  if (name === 'config' || name === 'report') return { name, json: values.json === true };
  if (values.json === true) throw new UsageError('--json belongs to the commands config and report');
  if (name === 'start') return { name };
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
        expire: { type: 'boolean' },
        wait: { type: 'boolean' },
        once: { type: 'boolean' },
        sample: { type: 'boolean' },
        force: { type: 'boolean' },
      },
    });
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
