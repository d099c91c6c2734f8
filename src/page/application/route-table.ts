// The files of `pages/` by their addresses. One file may answer a page and an endpoint; which of two files has an address is
// decided once, for all methods.
import type { Guard } from '../definitions/guard.ts';
import type { EndpointRoute } from '../endpoint/compile-endpoint.ts';
import { type Match, type Route, Router } from './router.ts';

/** One file of `pages/`. */
export interface FileRoute<P extends Route> extends Route {
  /** What is rendered and cached: answers GET, and POST where it has an action. */
  readonly page: P | undefined;
  readonly endpoint: EndpointRoute | undefined;
  /** Of the folders that it lies in, the outermost first: asked before anything of it is shown. */
  readonly guards: readonly Guard[];
}

export class RouteTable<P extends Route> {
  readonly files: readonly FileRoute<P>[];
  readonly #files: Router<FileRoute<P>>;
  readonly #hasEndpoints: boolean;

  /** Throws E_APPLICATION when two of `files` answer the same addresses. */
  constructor(files: readonly FileRoute<P>[]) {
    this.files = files;
    this.#files = new Router(files);
    this.#hasEndpoints = files.some(({ endpoint }) => endpoint !== undefined);
  }

  /** The page of an address. */
  match(segments: readonly string[]): Match<P> | undefined {
    const found = this.#files.match(segments);
    const page = found?.route.page;
    return found && page && { route: page, params: found.params };
  }

  /** The file of an address, where it has an endpoint. */
  endpoint(segments: readonly string[]): Match<WithEndpoint<P>> | undefined {
    if (!this.#hasEndpoints) return undefined;
    const found = this.#files.match(segments);
    return found !== undefined && hasEndpoint(found.route) ? { ...found, route: found.route } : undefined;
  }
}

export type WithEndpoint<P extends Route> = FileRoute<P> & { readonly endpoint: EndpointRoute };

function hasEndpoint<P extends Route>(file: FileRoute<P>): file is WithEndpoint<P> {
  return file.endpoint !== undefined;
}
