import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const REDIS_PROGRAMS = ['redis-server', 'valkey-server'] as const;

/** The first server program on the PATH, whole path; undefined where there is none. */
export function findRedisProgram(path: string): string | undefined {
  for (const folder of path.split(delimiter)) {
    for (const program of REDIS_PROGRAMS) {
      const file = join(folder, program);
      if (folder !== '' && isExecutable(file)) return file;
    }
  }
  return undefined;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
