// Before the first test: what the suite needs of the system. Here, because no test has the time for an installation.
import { CHROMIUM, installMissing, NGINX, PGBOUNCER, PS, REDIS } from './programs.ts';

export default async function setup(): Promise<void> {
  await installMissing([PS, REDIS, CHROMIUM, NGINX, PGBOUNCER], (text) => process.stderr.write(text));
}
