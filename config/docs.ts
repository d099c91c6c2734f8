import type { Setting } from './settings/setting.ts';
import { type Group, groups } from './settings.ts';

const intro: Readonly<Record<Group, string>> = {
  Serving: 'Where pages are served, and for whom.',
  Operations: 'The probes, the operations port and the log.',
  Monitoring: 'What is watched, and when somebody is told. docs/runbook.md has a section on each alert.',
  Processes: 'The primary and its workers.',
  Data: 'Postgres, Redis and what is kept on disk.',
  Rendering: 'How long a page may take.',
  Caching: 'What is kept, and how long without news of changes.',
  Stopping: 'What happens between SIGTERM and the end.',
};

/** docs/configuration.md, whole. Written by scripts/write-configuration-docs.mjs; a test holds it true. */
export function configurationDocs(): string {
  const told = Object.entries(intro) as [Group, string][];
  return [
    '# Configuration',
    '',
    '<!-- Written by scripts/write-configuration-docs.mjs from config/settings.ts. Do not edit. -->',
    '',
    'Settings come from the environment, then from `.env` in the working directory; the environment wins.',
    'An empty value counts as not set. A secret may be given as a file instead: `DATABASE_URL_FILE=/run/secrets/db`.',
    'A wrong setting ends the start with exit code 1, and all wrong ones are named at once.',
    'They are read once: a reload (`SIGHUP`, `POST /reload`) brings new code with the settings of the start; new',
    'settings take a restart.',
    '',
    '`coherent-server config` prints what is in effect and where each value comes from, with secrets masked.',
    'With `NODE_ENV=production` nothing is embedded, Postgres or Redis, and errors show no internals.',
    ...told.flatMap(([group, text]) => ['', `## ${group}`, '', text, '', ...table(group)]),
    '',
  ].join('\n');
}

function table(group: Group): string[] {
  const rows: Setting<unknown>[] = Object.values(groups[group]);
  return ['| name | default | allowed | |', '|---|---|---|---|', ...rows.map(row)];
}

function row({ name, kind, default: fallback, help, secret }: Setting<unknown>): string {
  const names = secret === undefined ? `\`${name}\`` : `\`${name}\`, \`${name}_FILE\` (secret)`;
  const unit = kind.unit === '' || kind.allowed.includes(kind.unit) ? '' : ` (${kind.unit})`;
  return `| ${names} | ${fallback === undefined ? 'not set' : `\`${fallback}\``} | ${kind.allowed}${unit} | ${help} |`;
}
