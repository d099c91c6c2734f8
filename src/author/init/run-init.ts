import { loadConfig } from '../../../config/load.ts';
import type { Template } from '../../cli/cli.ts';
import { UsageError } from '../../cli/errors.ts';
import { createLogger } from '../../logging/logger.ts';
import { FolderError } from '../errors.ts';
import { databaseFiles } from './database.ts';
import { init, summary } from './init.ts';
import { minimalFiles } from './minimal.ts';
import { readTables } from './tables.ts';
import { tsxFiles } from './tsx.ts';

export interface RunInitOptions {
  readonly folder: string;
  readonly template: Template;
  readonly version: string;
}

/** Resolves to the exit code. Errors: `E_USAGE`, `E_FOLDER`, `E_DATABASE_DOWN`. */
export async function runInit({ folder, template, version }: RunInitOptions): Promise<number> {
  const tsx = template === 'tsx';
  const files = template === 'database' ? await filesForDatabase() : tsx ? tsxFiles() : minimalFiles();
  process.stdout.write(summary(init({ folder, files, version, tsx })));
  return 0;
}

async function filesForDatabase(): Promise<ReadonlyMap<string, string>> {
  const { databaseUrl } = loadConfig();
  if (databaseUrl === undefined)
    throw new UsageError(
      'init --template database writes pages for the tables of a database: set DATABASE_URL, in the environment or in .env',
    );
  const tables = await readTables(databaseUrl, createLogger('silent', {}));
  if (tables.length === 0)
    throw new FolderError(
      'The database of DATABASE_URL has no table in the schema public with a primary key of one column, so there is nothing to write pages for. Use: coherent-server init',
    );
  return databaseFiles(tables);
}
