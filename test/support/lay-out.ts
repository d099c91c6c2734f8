import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Makes `folder` a place to run servers in: package/ is the build, site/ a copy of the application in `app` (a path in the
 * repository), which finds the server by its name, and shifted-clock.mjs a clock that can be set.
 */
export function layOut(folder: string, build: string, app: string): void {
  cpSync(join(build, 'package'), join(folder, 'package'), { recursive: true, verbatimSymlinks: true });
  cpSync(join(repository, 'test/support/shifted-clock.mjs'), join(folder, 'shifted-clock.mjs'));
  placeSite(folder, app);
}

/** site/ beside the build in package/, as above. The answer is its path. */
export function placeSite(folder: string, app: string): string {
  const site = join(folder, 'site');
  cpSync(join(repository, app), site, { recursive: true });
  mkdirSync(join(site, 'node_modules'));
  symlinkSync(join(folder, 'package'), join(site, 'node_modules/coherent-render-server'));
  symlinkSync(join(repository, 'node_modules/zod'), join(site, 'node_modules/zod'));
  return site;
}
