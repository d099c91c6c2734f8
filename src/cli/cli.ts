// The command line: which command, and which of its switches. What a command does is wired in server.ts.
import { CommanderError, Option, Command as Program } from '@commander-js/extra-typings';
import { UsageError } from './errors.ts';

export type Command =
  | { readonly name: 'init'; readonly folder: string; readonly template: Template }
  | {
      readonly name: 'dev';
      readonly folder: string | undefined;
      readonly hosts: readonly string[];
      readonly types: boolean;
    }
  | {
      readonly name: 'build';
      readonly folder: string | undefined;
      readonly out: string;
      readonly types: boolean;
    }
  | { readonly name: 'routes'; readonly folder: string | undefined; readonly json: boolean }
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
  | { readonly name: 'help'; readonly text: string }
  | { readonly name: 'version' };

const TEMPLATES = ['minimal', 'tsx', 'database'] as const;
export type Template = (typeof TEMPLATES)[number];

const RUNNING =
  '\nIt asks the running server: OPS_HOST, OPS_PORT and OPS_TOKEN say where, and with which token.';
const SETTINGS =
  '\nSettings come from the environment and from .env: docs/configuration.md lists them.\nExit codes: 0 done, 1 not done.';
const FOLDER = 'folder with pages/ in it, or the one above its src/ or app/ (default: here)';

/** Throws `E_USAGE`. */
export function parseCommand(args: readonly string[]): Command {
  let parsed: Command | undefined;
  let printed = '';
  // Before its commands are described: they take these over.
  const program = new Program('coherent-server').exitOverride().configureOutput({
    writeOut: (text) => {
      printed += text;
    },
    writeErr: () => {},
  });
  describe(program, (command) => {
    parsed = command;
  });
  try {
    program.parse(args.length === 0 ? ['start'] : [...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.version') return { name: 'version' };
    if (error.code === 'commander.helpDisplayed') return { name: 'help', text: printed };
    throw usageError(error.message.replace(/^error: /, ''), error);
  }
  if (parsed === undefined) throw usageError('which command?');
  return parsed;
}

function usageError(problem: string, cause?: unknown): UsageError {
  return new UsageError(`${problem}. What there is: coherent-server --help`, { cause });
}

type Run = (command: Command) => void;

function describe(program: Program, run: Run): void {
  program
    .description('Serves pages that follow their database. Without a command: start.')
    .version('', '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print this, or the help of one command')
    .helpCommand(false)
    .addHelpText('after', SETTINGS);
  describeAuthoring(program, run);
  describeServing(program, run);
  describeOperating(program, run);
}

function describeAuthoring(program: Program, run: Run): void {
  program.commandsGroup('Writing an application:');
  program
    .command('init')
    .description('write the files of a new application; none that is there is changed')
    .argument('[folder]', 'where; made if it is not there', '.')
    .addOption(
      new Option('-t, --template <name>', 'database: pages for the tables of DATABASE_URL')
        .choices(TEMPLATES)
        .default('minimal' as const),
    )
    .action((folder, { template }) => run({ name: 'init', folder, template }));
  program
    .command('dev')
    .description('serve the sources on this machine, and show each save at once')
    .argument('[folder]', FOLDER)
    .option(
      '--host <name...>',
      'listen to the network, and answer for these names too: my-laptop.local 192.168.1.20',
    )
    .option('--no-types', 'do not check types beside the pages')
    .action((folder, { host, types }) =>
      run({ name: 'dev', folder, hosts: (host ?? []).flatMap((each) => each.split(',')), types }),
    );
  program
    .command('build')
    .description('compile an application for start')
    .argument('[folder]', FOLDER)
    .option('-o, --out <folder>', 'where to; emptied first', 'dist')
    .option('--no-types', 'do not check types first')
    .action((folder, { out, types }) => run({ name: 'build', folder, out, types }));
  program
    .command('routes')
    .description('list the routes of the sources, and how long each is kept')
    .argument('[folder]', FOLDER)
    .option('--json', 'for programs')
    .action((folder, { json = false }) => run({ name: 'routes', folder, json }));
}

function describeServing(program: Program, run: Run): void {
  program.commandsGroup('Serving it:');
  program
    .command('start')
    .description('serve the build that APP names, or dist/ of this folder')
    .addHelpText('after', SETTINGS)
    .action(() => run({ name: 'start' }));
  program
    .command('config')
    .description('print the effective settings and where each comes from; secrets are masked')
    .option('--json', 'for programs')
    .action(({ json = false }) => run({ name: 'config', json }));
  const db = program.command('db').description('prepare and clear the database');
  db.command('setup')
    .description('create the tables and rows of the application in DATABASE_URL, once')
    .option('--sample', 'those of the sample application')
    .action(({ sample = false }) => run({ name: 'db setup', sample }));
  db.command('remove')
    .description(
      'take out of the database what the change feed keeps there: replication slot, publications, event triggers, schema coherent. Stop the fleet first',
    )
    .option('--force', 'also while a feed is connected')
    .action(({ force = false }) => run({ name: 'db remove', force }));
  db.command('prepare')
    .description('print the SQL by which a superuser lets the change feed work')
    .argument('[role]', 'for whom (default: the role of DATABASE_URL)')
    .action((role) => run({ name: 'db prepare', role }));
}

function describeOperating(program: Program, run: Run): void {
  program.commandsGroup('Asking the running server:');
  program
    .command('purge')
    .description('purge what was made from these keys, on every host')
    .argument('<keys...>', 'users#17; with a * a key is a pattern')
    .option('--expire', 'it may still be served while a new one is made')
    .option('--wait', 'until every worker has applied it')
    .addHelpText('after', RUNNING)
    .action((keys, { expire = false, wait = false }) => run({ name: 'purge', keys, expire, wait }));
  program
    .command('explain')
    .description('what a page was made from, by which statement; or what a purge of a key would hit')
    .argument('<path|key>', '/users/17, users#17')
    .option('--json', 'for programs; also where the output is no terminal')
    .addHelpText('after', RUNNING)
    .action((what, { json = false }) => run({ name: 'explain', what, json }));
  program
    .command('report')
    .description(
      'the last hour: renders, hit rates, memory, slowest pages and statements, alerts, and what would make it faster',
    )
    .option('--json', 'for programs')
    .addHelpText('after', RUNNING)
    .action(({ json = false }) => run({ name: 'report', json }));
  program
    .command('top')
    .description('workers, tiers and pages, drawn anew each second; q leaves')
    .option('--once', 'printed once; also where the output is no terminal')
    .addHelpText('after', RUNNING)
    .action(({ once = false }) => run({ name: 'top', once }));
}
