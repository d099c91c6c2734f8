// What a hole may see of a visitor: what it declared, and nothing else.
import type { Visitor } from '../../visitor/visitor.ts';
import type { AnyHoleDefinition, Hole } from '../definitions/hole.ts';
import type { GiveReading } from '../definitions/page.ts';
import { HoleError } from '../errors.ts';

type AnyContext = Parameters<NonNullable<AnyHoleDefinition['load']>>[0];

export class HoleVisitor {
  readonly #hole: Hole;
  readonly #visitor: Visitor;
  /** False: whether the session is valid could not be found out, so there is none. */
  readonly #isSettled: boolean;

  constructor(hole: Hole, visitor: Visitor, isSettled: boolean) {
    this.#hole = hole;
    this.#visitor = visitor;
    this.#isSettled = isSettled;
  }

  /** Brings something that the hole reads: a session that counts, or one of its cookies. */
  get isKnown(): boolean {
    const { session = false, cookies = [] } = this.#hole.definition.reads;
    if (session && this.#isSettled && this.#visitor.session.data !== undefined) return true;
    return cookies.some((name) => this.#visitor.cookies.get(name) !== undefined);
  }

  /** Errors when it is used otherwise than declared: `E_HOLE`. */
  context(reading: GiveReading, props: unknown): AnyContext {
    const { session = false, cookies = [] } = this.#hole.definition.reads;
    const visitor = this.#visitor;
    const isSettled = this.#isSettled;
    const refuse = (what: string, way: string): never => {
      throw new HoleError(
        `The hole '${this.#hole.name}' reads ${what}, which it has not declared. Write: reads: ${way}`,
      );
    };
    const given = reading({
      props,
      cookies: {
        get: (name: string) =>
          cookies.includes(name)
            ? visitor.cookies.get(name)
            : refuse(`the cookie '${name}'`, `{ cookies: ['${name}'] }`),
      },
    });
    Object.defineProperty(given, 'session', {
      enumerable: true,
      get: () => {
        if (!session) return refuse('the session', '{ session: true }');
        return isSettled ? visitor.session : { data: undefined };
      },
    });
    // The types of a hole that declares neither say `never`; what they would be is refused above.
    return given as unknown as AnyContext;
  }
}
