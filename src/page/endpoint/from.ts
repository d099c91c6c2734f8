import { ApplicationError } from '../errors.ts';
import type { From } from './endpoint.ts';

/** As origins are compared: exactly as browsers send them. */
export type CompleteFrom = 'this-site' | 'anywhere' | ReadonlySet<string>;

/** Errors: `E_APPLICATION`, for what no browser sends as its Origin. */
export function completeFrom(file: string, from: From): CompleteFrom {
  if (typeof from === 'string') {
    if (from === 'this-site' || from === 'anywhere') return from;
    throw new ApplicationError(
      `${file}: from is '${String(from)}'. Give 'this-site', 'anywhere', or a list of origins.`,
    );
  }
  for (const origin of from) {
    if (URL.canParse(origin) && new URL(origin).origin === origin) continue;
    throw new ApplicationError(
      `${file}: from holds '${origin}', which is no origin as browsers send it. Write 'https://app.example.org': ` +
        'scheme and host in lower case, a port only where it is not the usual one, no path.',
    );
  }
  return new Set(from);
}
