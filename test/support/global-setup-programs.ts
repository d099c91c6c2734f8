// Before the first test: what the suite needs of the system. Here, because no test has the time for an installation.
import { CHROMIUM, installMissing, NGINX, PS, REDIS } from './programs.ts';

export default async function setup(): Promise<void> {
  await installMissing([PS, REDIS, CHROMIUM, NGINX], (text) => process.stderr.write(text));
}
