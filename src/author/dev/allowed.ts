// Who may ask a development server. It shows sources and errors, so a page of somebody else that an author has open in the
// same browser must get nothing from it: not by a name that leads to this machine (DNS rebinding), not by a websocket.
import type { IncomingMessage } from 'node:http';

const OWN = new Set(['localhost', '127.0.0.1', '[::1]']);
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d+)?$/i;

export class Allowed {
  readonly #names: ReadonlySet<string>;

  /** `names`: beside those of this machine. */
  constructor(names: readonly string[]) {
    this.#names = new Set(names.map((name) => name.toLowerCase()));
  }

  host(host: string | undefined): boolean {
    const name = HOST.exec(host ?? '')?.[1]?.toLowerCase();
    if (name === undefined) return false;
    return OWN.has(name) || name.endsWith('.localhost') || this.#names.has(name);
  }

  /** A websocket is opened by pages of this server alone: browsers say whose page it is. */
  upgrade({ headers: { host, origin } }: IncomingMessage): boolean {
    if (!this.host(host) || origin === undefined) return false;
    try {
      const page = new URL(origin);
      return page.host.toLowerCase() === host?.toLowerCase();
    } catch {
      return false;
    }
  }
}
