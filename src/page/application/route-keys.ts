// What the key of a route rests on beside its parameters: the variants that its page names, and the host.

import type { HostSchema } from '../definitions/host-input.ts';
import type { CachePolicy } from '../definitions/page.ts';
import type { ApplicationSettings } from '../definitions/settings.ts';
import { PageVariants, VariantChooser } from '../definitions/variants.ts';
import { ApplicationError } from '../errors.ts';
import type { Declared } from './inputs.ts';
import { type CompletePolicy, completePolicy, withVariants } from './policy.ts';

/** What an application declares that its pages may be keyed by. */
export interface ApplicationKeys {
  readonly variants: VariantChooser;
  /** What its hosts must look like: they are inputs then. */
  readonly host: HostSchema | undefined;
}

/** Errors: `E_APPLICATION`. */
export function applicationKeys({ variants, host }: ApplicationSettings = {}): ApplicationKeys {
  if (host !== undefined && typeof host?.['~standard']?.validate !== 'function')
    throw new ApplicationError('app: host is not a Standard Schema (zod, valibot, arktype).');
  return { variants: new VariantChooser(variants), host };
}

export interface RouteKeys {
  readonly policy: CompletePolicy;
  readonly declared: Pick<Declared, 'vary' | 'variants' | 'host'>;
}

/** Errors: `E_APPLICATION`, which names `file`. */
export function routeKeys(
  file: string,
  cache: CachePolicy | undefined,
  { variants, host }: ApplicationKeys,
  guarded = false,
): RouteKeys {
  const own = variantsOf(file, cache?.variants ?? [], variants);
  const isInput = cache?.host === true;
  if (isInput && host === undefined) {
    throw new ApplicationError(
      `${file}: cache.host is true, but app.ts has no host schema that says which there are.`,
    );
  }
  const complete = completePolicy(file, cache, guarded);
  const policy = own === undefined ? complete : withVariants(complete, own.headers);
  const declared = {
    vary: policy.vary,
    ...(own !== undefined && { variants: own }),
    ...(host !== undefined && { host: { schema: host, isInput } }),
  };
  return { policy, declared };
}

function variantsOf(
  file: string,
  names: readonly string[],
  chooser: VariantChooser,
): PageVariants | undefined {
  const unknown = names.find((name) => !chooser.has(name));
  if (unknown !== undefined) {
    const known = chooser.names.length === 0 ? 'it has none' : `it has ${chooser.names.join(', ')}`;
    throw new ApplicationError(
      `${file}: cache.variants holds '${unknown}', which is no variant of the application (app.ts; ${known}).`,
    );
  }
  return names.length === 0 ? undefined : new PageVariants([...new Set(names)], chooser);
}
