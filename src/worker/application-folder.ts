import { dirname, isAbsolute, join, resolve } from 'node:path';

/** Of APP, or the sample that lies beside the server: dist/app in a build. */
export function applicationFolder(app: string | undefined): string {
  if (app === undefined) return join(dirname(dirname(import.meta.dirname)), 'app');
  return isAbsolute(app) ? app : resolve(app);
}
