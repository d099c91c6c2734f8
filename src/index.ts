// The public door: what an application imports from 'coherent-render-server'.
export type { Compared, Db, Include, KeysetPage, OffsetPage, OrderBy, Row, SqlValue } from './data/db.ts';
export { QueryError } from './data/errors.ts';
export type { WritableDb } from './data/read/write-scope.ts';
export type { Seed, SeedContext } from './data/seed.ts';
export type { Transaction } from './data/transaction.ts';
export type { Visible } from './invalidation/bus/visibility.ts';
export type { ActionAnswer, ActionContext, Feedback, VisibleOptions } from './page/definitions/action.ts';
export {
  type ErrorPage,
  type ErrorPageDefinition,
  type ErrorProps,
  errorPage,
} from './page/definitions/error-page.ts';
export {
  type FragmentContext,
  type FragmentDefinition,
  type FragmentPolicy,
  fragment,
} from './page/definitions/fragment.ts';
export {
  type Guard,
  type GuardAnswer,
  type GuardCheck,
  type GuardContext,
  guard,
} from './page/definitions/guard.ts';
export type { Head } from './page/definitions/head.ts';
export {
  type HoleContext,
  type HoleDefinition,
  type HoleReads,
  hole,
} from './page/definitions/hole.ts';
export { preferredLanguage } from './page/definitions/languages.ts';
export { type Layout, type LayoutContext, type LayoutDefinition, layout } from './page/definitions/layout.ts';
export { type ListSchema, list } from './page/definitions/list.ts';
export {
  type Forbidden,
  forbidden,
  type Invalid,
  invalid,
  type NotFound,
  notFound,
  type Redirect,
  redirect,
} from './page/definitions/outcome.ts';
export {
  type CachePolicy,
  type LoadContext,
  type Page,
  type PageDefinition,
  type PersonalContext,
  page,
} from './page/definitions/page.ts';
export {
  type Resource,
  type ResourceDefinition,
  type ResourceType,
  resource,
} from './page/definitions/resource.ts';
export { type ApplicationDoor, type ApplicationSettings, application } from './page/definitions/settings.ts';
export {
  type Variant,
  type VariantDefinition,
  type VariantVisitor,
  variant,
} from './page/definitions/variant.ts';
export { type BodyKind, type RawOptions, raw, stream } from './page/endpoint/body.ts';
export { type CsvOptions, csv } from './page/endpoint/csv.ts';
export { type Download, type DownloadOptions, download } from './page/endpoint/download.ts';
export {
  type Endpoint,
  type EndpointAnswer,
  type EndpointContext,
  type EndpointDefinition,
  endpoint,
  type From,
  type Handler,
  type MethodDefinition,
} from './page/endpoint/endpoint.ts';
export type { FileField, IncomingFile, Sink } from './page/endpoint/file-fields.ts';
export { type SignatureScheme, type SignedBody, type SignedOptions, signed } from './page/endpoint/signed.ts';
export { type SavedFile, toFolder } from './page/endpoint/to-folder.ts';
export { type Upload, type UploadOptions, upload } from './page/endpoint/upload.ts';
export type { ElementObject, ElementProps, Node } from './render/element.ts';
export { fixed } from './render/fixed.ts';
export { html } from './render/html.ts';
export type { JsxElement } from './render/jsx-element.ts';
export { type RenderOptions, render } from './render/render.ts';
export { type SafeUrl, type SafeUrlOptions, safeUrl } from './render/safe-url.ts';
export type { Template } from './render/template.ts';
export { json, type Trusted, trusted } from './render/trust.ts';
// With a star: applications add to `CustomElements` by this module's name.
export type * from './render/types/custom-elements.ts';
export { type XmlValue, xml } from './render/xml.ts';
export type { CookieOptions, Cookies, ReadableCookies } from './visitor/cookies.ts';
export {
  type SessionDeclaration,
  type SessionDefinition,
  type SignedIn,
  session,
} from './visitor/declaration.ts';
export type { Flash, FlashKind } from './visitor/flash.ts';
// With a star: applications add to `Register` by this module's name.
export type * from './visitor/register.ts';
export type {
  PersonalVisitor,
  ReadableSession,
  Session,
  Visitor,
  WritingVisitor,
} from './visitor/visitor.ts';
export type { PurgeCallback, PurgeNotice } from './watchers/callback.ts';
