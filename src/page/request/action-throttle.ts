// Who does something too often is answered 429, and when to come back: by their address, before what they send is read; by the account
// that their form names, before its action runs. Neither costs a statement.
import type { Header, PageEntry } from '../../cache/entry.ts';
import type { Milliseconds } from '../../core/units.ts';
import { network, type Throttle } from '../../visitor/throttle/throttle.ts';
import type { PageRoute } from '../application/application.ts';
import type { PageRenderer } from '../render/renderer.ts';

export interface ActionThrottleOptions {
  readonly renderer: PageRenderer;
  /** Without it nothing is counted. */
  readonly throttle?: Throttle | undefined;
}

export interface AccountInput {
  readonly form: Readonly<Record<string, unknown>>;
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
}

export class ActionThrottle {
  readonly #options: ActionThrottleOptions;
  /** The page that all of them are shown. */
  #page: Promise<PageEntry> | undefined;

  constructor(options: ActionThrottleOptions) {
    this.#options = options;
  }

  /** Undefined: not too often from this address. */
  async address({ template, page }: PageRoute, address: string): Promise<PageEntry | undefined> {
    const rule = page.definition.throttle?.address;
    if (rule === undefined) return undefined;
    return this.#refusal(await this.#options.throttle?.over([template, 'address', network(address)], rule));
  }

  /** Undefined: not too often to this account, or the form names none. */
  async account({ template, page }: PageRoute, input: AccountInput): Promise<PageEntry | undefined> {
    const rule = page.definition.throttle?.account;
    const name = rule?.of(input);
    if (rule === undefined || name === undefined) return undefined;
    return this.#refusal(await this.#options.throttle?.over([template, 'account', name], rule));
  }

  async #refusal(waitMs: Milliseconds | undefined): Promise<PageEntry | undefined> {
    if (waitMs === undefined) return undefined;
    const { renderer } = this.#options;
    this.#page ??= renderer.failure({ status: 429, id: 'throttled', detail: undefined, shed: true }, []);
    const retryAfter: Header = ['retry-after', String(Math.ceil(waitMs / 1000))];
    const page = await this.#page;
    return { ...page, headers: [...page.headers, retryAfter] };
  }
}
