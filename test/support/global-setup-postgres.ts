// One real Postgres for the whole test run, in a folder of its own that is removed afterwards.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { silent } from './silent.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The superuser's URL of the run's server; tests take databases of their own from `testDatabase()`. */
    postgresUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'coherent-test-postgres-'));
  chmodSync(dataDir, 0o755); // as root, Postgres runs as another user, who has to get in
  const remove = (folder: string) => rmSync(folder, { recursive: true, force: true });
  const server = await startEmbeddedPostgres({
    dataDir,
    logger: silent,
    // Nobody misses this data after a crash.
    settings: {
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
      max_connections: '200',
      max_replication_slots: '20',
      max_wal_senders: '20',
      autovacuum_naptime: '1h',
    },
  }).catch((error: unknown) => {
    remove(dataDir);
    throw error;
  });
  project.provide('postgresUrl', server.url);
  return async () => {
    await server.close();
    remove(server.folder);
    remove(dataDir);
  };
}
