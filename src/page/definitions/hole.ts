// Holes: parts of a shared page that are one visitor's. The page around them is kept and sent like any other; what stands in
// a hole is made for each request and kept nowhere.
import { declaring } from '../../core/declarations.ts';
import type { Bytes, Milliseconds } from '../../core/units.ts';
import type { Node } from '../../render/element.ts';
import { FragmentCall } from '../../render/fragment-call.ts';
import type { ReadableCookies } from '../../visitor/cookies.ts';
import type { ReadableSession } from '../../visitor/visitor.ts';
import { HoleError } from '../errors.ts';
import type { Reading } from './page.ts';

/** What a hole reads of a visitor. Whatever else it asks for is refused (`E_HOLE`). */
export interface HoleReads {
  readonly session?: boolean;
  /** By name. Other cookies cannot be read, and do not make a visitor one of those it is filled for. */
  readonly cookies?: readonly string[];
}

export interface HoleContext<P, R extends HoleReads> extends Omit<Reading, 'dependsOn'> {
  /** As they were in the page, read back from JSON. */
  readonly props: P;
  readonly session: R extends { readonly session: true } ? ReadableSession : never;
  readonly cookies: R extends { readonly cookies: readonly string[] } ? ReadableCookies : never;
}

/** Write `reads` and `load` before the views: TypeScript reads their types in that order. */
export interface HoleDefinition<P, R extends HoleReads, Data> {
  readonly reads: R;
  /** Runs for each request of a visitor who brings a session or a cookie that `reads` names. Without it the view is given the props. */
  readonly load?: (context: HoleContext<P, R>) => Promise<Data> | Data;
  readonly view: (data: NoInfer<Data>) => Node;
  /** For everybody else. Part of the page, kept with it: it sees no visitor. */
  readonly anonymous: (props: P) => Node;
  /** In the place of `view` when that fails, takes too long or is too large. Unless given: what `anonymous` gave. */
  readonly fallback?: (props: P) => Node;
  /** How long a visitor waits for it. Default 2000. */
  readonly timeoutMs?: Milliseconds;
  /** A larger one is not shown. Default 64 KiB. */
  readonly maxBytes?: Bytes;
}

export type AnyHoleDefinition = HoleDefinition<unknown, HoleReads, unknown>;

/** A hole as it was declared. */
export interface Hole {
  readonly name: string;
  readonly definition: AnyHoleDefinition;
  /** Who brings one of these cookies has it filled. Of a session both names that it may have. */
  readonly cookies: readonly string[];
  readonly timeoutMs: Milliseconds;
  readonly maxBytes: Bytes;
}

/** What stands in the tree where a hole was used. */
export class HoleUse {
  readonly hole: Hole;
  readonly props: unknown;

  constructor(hole: Hole, props: unknown) {
    this.hole = hole;
    this.props = props;
  }
}

const SESSION_COOKIES = ['session', '__Host-session'];
const COOKIE_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const DEFAULT_TIMEOUT_MS: Milliseconds = 2000;
const DEFAULT_MAX_BYTES: Bytes = 64 * 1024;

/** By name: a page out of the cache says which holes it has by their names. The latest of a name counts. */
const declared = new Map<string, Hole>();

/** Undefined: no module that was loaded declares it. */
export function declaredHole(name: string): Hole | undefined {
  return declared.get(name);
}

/** Who brings one of these cookies may see another page than the one without a visitor. */
export function cookiesOf(holes: readonly { readonly name: string }[]): readonly string[] {
  return [...new Set(holes.flatMap(({ name }) => declared.get(name)?.cookies ?? []))];
}

/** Whether any module that was loaded declares one. */
export function hasHoles(): boolean {
  return declared.size > 0;
}

/**
 * Declares a part of a page that is one visitor's, used like a component in a page or the layout. Its props are plain data, and
 * are kept with the page. Errors: `E_HOLE`.
 *
 * @example
 *     export const Greeting = hole('greeting', {
 *       reads: { session: true },
 *       load: ({ session, db }) => db.byId<User>('users', session.data?.userId),
 *       view: (user) => ({ p: `Hello, ${user?.name ?? 'you'}` }),
 *       anonymous: () => ({ a: { href: '/sign-in', text: 'Sign in' } }),
 *     });
 *     ... children: [Greeting()]
 */
export function hole<P = undefined, const R extends HoleReads = HoleReads, Data = P>(
  name: string,
  definition: HoleDefinition<P, R, Data>,
): undefined extends P ? (props?: P) => Node : (props: P) => Node {
  declaring(`hole('${name}')`);
  const { reads, view, anonymous, timeoutMs = DEFAULT_TIMEOUT_MS, maxBytes = DEFAULT_MAX_BYTES } = definition;
  const { session = false, cookies = [] } = reads ?? {};
  const refuse = (why: string) => {
    throw new HoleError(`hole('${name}'): ${why}`);
  };
  if (typeof name !== 'string' || !/^[\w.-]{1,100}$/.test(name))
    refuse('its name is 1 to 100 letters, digits, dots, - and _.');
  if (!session && cookies.length === 0)
    refuse('reads names nothing. What is the same for all visitors is a component or a fragment.');
  for (const cookie of cookies)
    if (!COOKIE_NAME.test(cookie)) refuse(`reads.cookies holds '${cookie}', which is no name.`);
  if (typeof view !== 'function' || typeof anonymous !== 'function')
    refuse('it needs view, and anonymous for visitors without a session.');
  for (const [option, value] of Object.entries({ timeoutMs, maxBytes }))
    if (!Number.isFinite(value) || value <= 0) refuse(`${option} is ${value}; give a number above 0.`);
  const made: Hole = Object.freeze({
    name,
    // It is called with props that its own component was given, and with what it declared that it reads.
    definition: definition as unknown as AnyHoleDefinition,
    cookies: Object.freeze([...(session ? SESSION_COOKIES : []), ...cookies]),
    timeoutMs,
    maxBytes,
  });
  declared.set(name, made);
  return (props?: P) => new FragmentCall(new HoleUse(made, props));
}
