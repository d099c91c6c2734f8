// An application: its routes, the pages around them, its public files. `assemble` makes one of modules,
// `loadApplication` (load-application.ts) of a folder. Whatever is wrong is said before a request is taken.

import { isSession, type SessionDeclaration } from '../../visitor/declaration.ts';
import { faultOf } from '../../visitor/throttle/rule.ts';
import { ContentSecurity } from '../definitions/content-security.ts';
import { type ErrorPage, isErrorPage } from '../definitions/error-page.ts';
import type { Guard } from '../definitions/guard.ts';
import { isLayout, type Layout } from '../definitions/layout.ts';
import { isPage, type Page, page } from '../definitions/page.ts';
import { type AnyResource, isResource } from '../definitions/resource.ts';
import type { ApplicationSettings } from '../definitions/settings.ts';
import { compileEndpoint } from '../endpoint/compile-endpoint.ts';
import { type Endpoint, isEndpoint } from '../endpoint/endpoint.ts';
import { ApplicationError } from '../errors.ts';
import { GuardFiles, isGuardFile } from './guard-files.ts';
import type { Declared } from './inputs.ts';
import { isLayoutFile, LayoutFiles } from './layout-files.ts';
import type { CompletePolicy } from './policy.ts';
import { PublicFiles } from './public-files.ts';
import { assertParams, assertSchemas } from './route-inputs.ts';
import { type ApplicationKeys, applicationKeys, routeKeys } from './route-keys.ts';
import { type FileRoute, RouteTable } from './route-table.ts';
import { type Route, routeOf } from './router.ts';

export interface PageRoute extends Route {
  /** Of a resource: its load alone. */
  readonly page: Page;
  readonly resource?: AnyResource;
  readonly policy: CompletePolicy;
  readonly declared: Declared;
  /** Of the folders that it lies in, the outermost first. */
  readonly guards: readonly Guard[];
  /** Likewise, inside of the application's own. */
  readonly layouts: readonly Layout[];
}

export interface Application extends ApplicationKeys {
  /** Changes whenever the application's code or files do; part of every cache key. */
  readonly build: string;
  readonly routes: readonly PageRoute[];
  /** Pages, resources and endpoints by their addresses. */
  readonly router: RouteTable<PageRoute>;
  readonly notFound: PageRoute;
  readonly errorPage: ErrorPage | undefined;
  readonly layout: Layout | undefined;
  readonly files: PublicFiles;
  readonly security: ContentSecurity;
  /** What the application declares about keys. */
  readonly declare: ApplicationSettings['declare'];
  /** Undefined: there are no sessions. */
  readonly session: SessionDeclaration | undefined;
  /** Addresses of pages to be made before the first visitor comes. */
  readonly warm: readonly string[];
}

/** What the folders around a file bring to it. */
type Around = Pick<PageRoute, 'guards' | 'layouts'>;

const ALONE: Around = Object.freeze({ guards: [], layouts: [] });

/** A file below pages/: its path without extension, and what it exports. */
export interface PageModule {
  readonly file: string;
  /** By default: a page, a resource or an endpoint. */
  readonly exported: unknown;
  /** Under these names. */
  readonly named?: { readonly page?: unknown; readonly resource?: unknown; readonly endpoint?: unknown };
}

export interface ApplicationParts {
  readonly modules: readonly PageModule[];
  readonly build: string;
  readonly files?: PublicFiles;
  readonly settings?: ApplicationSettings;
}

const SPECIAL = new Set(['_404', '_error', '_layout']);

/** Errors: `E_APPLICATION`. */
export function assemble(parts: ApplicationParts): Application {
  const { modules, build, files: publicFiles = new PublicFiles('public'), settings } = parts;
  const keys = applicationKeys(settings);
  const special = new Map<string, unknown>();
  const files: FileRoute<PageRoute>[] = [];
  const guards = new GuardFiles();
  const layouts = new LayoutFiles();
  for (const { file, exported } of modules) {
    if (isGuardFile(file)) guards.add(file, exported);
    else if (isLayoutFile(file)) layouts.add(file, exported);
  }
  for (const module of modules) {
    if (isGuardFile(module.file) || isLayoutFile(module.file)) continue;
    if (SPECIAL.has(module.file)) special.set(module.file, module.exported);
    else
      files.push(
        compileFile(module, keys, { guards: guards.of(module.file), layouts: layouts.of(module.file) }),
      );
  }
  const routes = files.flatMap(({ page }) => page ?? []);
  if (files.length === 0) throw new ApplicationError('pages/ holds no page. The home page is pages/index.');
  const router = new RouteTable(files);
  return Object.freeze({
    build,
    routes: Object.freeze(routes),
    router,
    notFound: compile(
      { template: '_404', file: '_404', names: [] },
      special.get('_404') ?? plainNotFound,
      keys,
    ),
    errorPage: optional(special, '_error', 'errorPage', isErrorPage),
    layout: optional(special, '_layout', 'layout', isLayout),
    files: publicFiles,
    security: new ContentSecurity(settings?.contentSecurityPolicy),
    ...keys,
    declare: settings?.declare,
    session: checkedSession(settings?.session),
    warm: checkedWarm(settings?.warm ?? [], router),
  });
}

function checkedWarm(addresses: readonly unknown[], router: RouteTable<PageRoute>): readonly string[] {
  return Object.freeze(
    addresses.map((address) => {
      const known = typeof address === 'string' && URL.canParse(address, 'http://app');
      const segments = known ? new URL(address, 'http://app').pathname.split('/').filter(Boolean) : [];
      const route = router.match(segments)?.route;
      if (route?.page.definition.personal === true)
        throw new ApplicationError(
          `app: warm holds '${address}', a personal page. Nothing of it is kept: remove it.`,
        );
      if (known && address.startsWith('/') && route !== undefined) return address;
      throw new ApplicationError(
        `app: warm holds '${address}', which no page answers. List paths of pages, such as '/users/1?page=2'.`,
      );
    }),
  );
}

function checkedSession(declared: unknown): SessionDeclaration | undefined {
  if (declared === undefined || isSession(declared)) return declared;
  throw new ApplicationError(
    'app: session must be made by session(), imported from coherent-render-server: session({ schema: ... }).',
  );
}

/** What a file answers, by what it exports. Two answers for one method are a mistake. */
function compileFile(
  { file, exported, named = {} }: PageModule,
  keys: ApplicationKeys,
  around: Around,
): FileRoute<PageRoute> {
  const route = routeOf(file);
  const given = [exported, ...Object.values(named)].filter((each) => each !== undefined);
  const endpoints = given.filter(isEndpoint);
  const resources = given.filter(isResource);
  const pages = given.filter((each) => !isEndpoint(each) && !isResource(each));
  if (named.page !== undefined && !isPage(named.page))
    throw new ApplicationError(`pages/${file}: its export 'page' is not made by page().`);
  if (named.endpoint !== undefined && !isEndpoint(named.endpoint))
    throw new ApplicationError(`pages/${file}: its export 'endpoint' is not made by endpoint().`);
  if (named.resource !== undefined && !isResource(named.resource))
    throw new ApplicationError(`pages/${file}: its export 'resource' is not made by resource().`);
  if (pages.length > 0 && resources.length > 0)
    throw new ApplicationError(
      `pages/${file}: both its page and its resource answer GET. Remove one of the two.`,
    );
  if (pages.length > 1 || resources.length > 1 || endpoints.length > 1)
    throw new ApplicationError(
      `pages/${file} has two answers of one kind. Keep one, or give it a file of its own.`,
    );
  const [endpoint] = endpoints;
  const [resource] = resources;
  const isPageWanted = pages.length > 0 || (endpoint === undefined && resource === undefined);
  const own = isPageWanted ? compile(route, pages[0], keys, around) : undefined;
  const page = resource === undefined ? own : compileResource(route, resource.definition, keys, around);
  if (page !== undefined && endpoint !== undefined) assertNoMethodTwice(page, endpoint);
  return Object.freeze({
    ...route,
    page,
    endpoint: endpoint && compileEndpoint(route, endpoint, keys),
    guards: around.guards,
  });
}

/** To the pipeline a resource is a page whose view is never asked for. */
function compileResource(
  route: Route,
  resource: AnyResource,
  keys: ApplicationKeys,
  around: Around,
): PageRoute {
  const { params, query, cache, load, renderTimeoutMs } = resource;
  const limit = renderTimeoutMs === undefined ? {} : { renderTimeoutMs };
  const loading = page({ params, query, ...(cache && { cache }), ...limit, load, view: () => null });
  return Object.freeze({ ...compile(route, loading, keys, around), resource });
}

function assertNoMethodTwice({ file, page, resource }: PageRoute, { methods }: Endpoint): void {
  const twice = methods.has('GET') ? 'GET' : 'POST';
  if (twice === 'POST' && (!methods.has('POST') || page.definition.action === undefined)) return;
  const shown = resource === undefined ? 'page' : 'resource';
  const what = twice === 'GET' ? shown : 'action';
  throw new ApplicationError(
    `pages/${file}: both its ${what} and its endpoint answer ${twice}. Remove one of the two.`,
  );
}

function compile(route: Route, exported: unknown, keys: ApplicationKeys, around: Around = ALONE): PageRoute {
  const file = `pages/${route.file}`;
  if (!isPage(exported)) throw notMadeBy(file, 'page', exported);
  const { params = {}, query = {}, form = {}, cache } = exported.definition;
  assertParams(route, params);
  assertSchemas(file, params, query, form);
  if (exported.definition.head !== undefined && exported.definition.shell !== undefined) {
    throw new ApplicationError(
      `${file}: it has both head and shell. A streamed page's head is sent before there are props: keep shell only.`,
    );
  }
  if (exported.definition.status !== undefined && exported.definition.shell !== undefined) {
    throw new ApplicationError(
      `${file}: it has both status and shell. A streamed page is 200 before there are props: keep one of the two.`,
    );
  }
  if (exported.definition.form !== undefined && exported.definition.action === undefined) {
    throw new ApplicationError(`${file}: it has a form, but no action that takes it.`);
  }
  const { renderTimeoutMs = 1 } = exported.definition;
  if (!Number.isFinite(renderTimeoutMs) || renderTimeoutMs <= 0) {
    throw new ApplicationError(
      `${file}: renderTimeoutMs is ${renderTimeoutMs}; give milliseconds, more than 0.`,
    );
  }
  assertThrottle(file, exported.definition);
  if (exported.definition.personal === true) assertPersonal(file, exported.definition);
  const { policy, declared } = routeKeys(file, cache, keys, around.guards.length > 0);
  return Object.freeze({
    ...route,
    page: exported,
    policy,
    declared: { params, query, ...declared },
    ...around,
  });
}

function assertThrottle(file: string, { throttle, action }: Page['definition']): void {
  if (throttle === undefined) return;
  if (action === undefined)
    throw new ApplicationError(`${file}: it has a throttle, but no action that could be sent too often.`);
  for (const by of ['address', 'account'] as const) {
    const rule = throttle[by];
    const fault = rule && faultOf(rule);
    if (fault !== undefined) throw new ApplicationError(`${file}: throttle.${by}.${fault}.`);
  }
}

function assertPersonal(file: string, { cache, shell }: Page['definition']): void {
  const wrong = (what: string) => new ApplicationError(`${file}: it is personal, and ${what}`);
  if (file === 'pages/_404')
    throw wrong('shown to everybody who asks for what is not there: make it a shared page.');
  if (cache !== undefined)
    throw wrong(
      'has a cache policy. Nothing of a personal page is kept: remove cache, and put what all share into fragments.',
    );
  if (shell !== undefined)
    throw wrong('has a shell. A personal page is sent when it is complete: write head in its place.');
}

function optional<T>(
  special: ReadonlyMap<string, unknown>,
  file: string,
  maker: string,
  is: (value: unknown) => value is T,
): T | undefined {
  if (!special.has(file)) return undefined;
  const exported = special.get(file);
  if (!is(exported)) throw notMadeBy(`pages/${file}`, maker, exported);
  return exported;
}

function notMadeBy(file: string, maker: string, exported: unknown): ApplicationError {
  if (exported === undefined) {
    return new ApplicationError(
      `${file} has no default export. Write: export default ${maker}({ view: ... })`,
    );
  }
  if (typeof exported === 'object' && exported !== null && 'definition' in exported) {
    return new ApplicationError(
      `${file}: its default export was made by another function than ${maker}(), or by another copy of ` +
        'coherent-render-server than the one that runs. Use one installed copy for the server and the application.',
    );
  }
  return new ApplicationError(
    `${file}: its default export must be made by ${maker}(), imported from coherent-render-server.`,
  );
}

const plainNotFound = page({
  head: () => ({ title: 'Not found', robots: 'noindex' }),
  view: () => ({
    main: {
      children: [
        { h1: 'Not found' },
        { p: 'There is no page at this address.' },
        { p: { children: [{ a: { href: '/', text: 'Home' } }] } },
      ],
    },
  }),
});
