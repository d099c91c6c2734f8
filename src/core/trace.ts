// What the rooms need of tracing. Where no SDK is present they are given `untraced`, ask `isOn` and do nothing else:
// no span, no attribute and no closure is made. open-telemetry.ts is the other one.

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** `server`: a request that came in. `client`: a call to another server. */
export type SpanKind = 'internal' | 'server' | 'client';

export interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
  /** No request waits for it: a trace of its own, with a link to what caused it. */
  readonly apart?: boolean;
}

export interface Span {
  set(name: string, value: string | number | boolean): void;
  rename(name: string): void;
  /** For what went wrong without being thrown. */
  fail(type: string): void;
}

/** As Node gives them: lower-case names. */
export type IncomingHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
}

export interface Tracing {
  readonly isOn: boolean;
  /** Runs `work` inside a span, which ends when what `work` returns has settled. What it throws is thrown on. */
  span<T>(start: SpanStart, work: (span: Span) => T): T;
  /**
   * The same for a request from outside, whose `traceparent` names the parent. Where another instrumentation has begun a span
   * for this request (an HTTP instrumentation), `work` is given that one, and it is theirs to end.
   */
  request<T>(headers: IncomingHeaders, start: SpanStart, work: (span: Span) => T): T;
  /** Runs work within the span we are in now, wherever it is called. Nothing else of the async context comes along. */
  here(): <T>(work: () => T) => T;
  /** Headers for a call to another server that make its span a child of ours. */
  outgoing(): Readonly<Record<string, string>>;
  /** Of the span we are in, for log lines. */
  ids(): SpanIds | undefined;
}

const noSpan: Span = Object.freeze({ set() {}, rename() {}, fail() {} });

export const untraced: Tracing = Object.freeze({
  isOn: false,
  span: <T>(_start: SpanStart, work: (span: Span) => T) => work(noSpan),
  request: <T>(_headers: IncomingHeaders, _start: SpanStart, work: (span: Span) => T) => work(noSpan),
  here:
    () =>
    <T>(work: () => T) =>
      work(),
  outgoing: () => ({}),
  ids: () => undefined,
});
