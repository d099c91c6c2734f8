#!/usr/bin/env node
// Holds the import rule of .dependency-cruiser.cjs over the source in the current folder.
// Names only the folders that exist, because the cruiser stops at the first that does not.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const cruiser = fileURLToPath(
  new URL('../node_modules/dependency-cruiser/bin/dependency-cruise.mjs', import.meta.url),
);
const rules = fileURLToPath(new URL('../.dependency-cruiser.cjs', import.meta.url));
const roots = ['server.ts', 'healthcheck.ts', 'config', 'workers', 'src', 'app'].filter((path) =>
  existsSync(path),
);

const tsx = new URL('read-tsx.mjs', import.meta.url).href;
const run = spawnSync(process.execPath, ['--import', tsx, cruiser, '--config', rules, ...roots], {
  stdio: 'inherit',
});
process.exit(run.status ?? 1);
