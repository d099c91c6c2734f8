// Tracing through the OpenTelemetry API: the one file that imports it. Which SDK is behind it, what it samples and where
// it sends spans is the operator's choice; without one, tracing is off.
import {
  type Context,
  context,
  SpanKind as Kind,
  type Span as OtelSpan,
  ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { IncomingHeaders, Span, SpanIds, SpanKind, SpanStart, Tracing } from './trace.ts';
import { untraced } from './trace.ts';

const KINDS: Readonly<Record<SpanKind, Kind>> = {
  internal: Kind.INTERNAL,
  server: Kind.SERVER,
  client: Kind.CLIENT,
};

/** What is registered by now. */
export function openTracing(name: string, version: string): Tracing {
  const provider = trace.getTracerProvider();
  // Without an SDK the API hands out its own stand-in, and that passes calls to nothing.
  const isOff =
    provider instanceof ProxyTracerProvider && provider.getDelegateTracer(name, version) === undefined;
  return isOff ? untraced : new OpenTelemetry(provider.getTracer(name, version));
}

class OpenTelemetry implements Tracing {
  readonly isOn = true;
  readonly #tracer: Tracer;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  span<T>(start: SpanStart, work: (span: Span) => T): T {
    return this.#within(context.active(), start, work);
  }

  request<T>(headers: IncomingHeaders, start: SpanStart, work: (span: Span) => T): T {
    const active = trace.getActiveSpan();
    if (active !== undefined) return work(new SpanFacade(active));
    return this.#within(propagation.extract(context.active(), headers), start, work);
  }

  here(): <T>(work: () => T) => T {
    const span = trace.getActiveSpan();
    const here = span === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, span);
    return (work) => context.with(here, work);
  }

  outgoing(): Readonly<Record<string, string>> {
    const headers: Record<string, string> = {};
    propagation.inject(context.active(), headers);
    return headers;
  }

  ids(): SpanIds | undefined {
    const { traceId, spanId } = trace.getActiveSpan()?.spanContext() ?? {};
    return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId };
  }

  #within<T>(
    parent: Context,
    { name, kind, attributes, apart = false }: SpanStart,
    work: (span: Span) => T,
  ): T {
    const cause = apart ? trace.getSpanContext(parent) : undefined;
    const span = this.#tracer.startSpan(
      name,
      {
        kind: KINDS[kind],
        attributes,
        root: apart,
        ...(cause !== undefined && { links: [{ context: cause }] }),
      },
      parent,
    );
    let result: T;
    try {
      result = context.with(trace.setSpan(parent, span), work, undefined, new SpanFacade(span));
    } catch (error) {
      end(span, error);
      throw error;
    }
    if (result instanceof Promise) {
      result.then(
        () => span.end(),
        (error: unknown) => end(span, error),
      );
    } else span.end();
    return result;
  }
}

/** The message stays out: it may quote values. It is in the log, under the same ids. */
function end(span: OtelSpan, error: unknown): void {
  new SpanFacade(span).fail(typeOf(error));
  span.end();
}

function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return '_OTHER';
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' && code !== '' ? code : error.name;
}

class SpanFacade implements Span {
  readonly #span: OtelSpan;

  constructor(span: OtelSpan) {
    this.#span = span;
  }

  set(name: string, value: string | number | boolean): void {
    this.#span.setAttribute(name, value);
  }

  rename(name: string): void {
    this.#span.updateName(name);
  }

  fail(type: string): void {
    this.#span.setAttribute('error.type', type);
    this.#span.setStatus({ code: SpanStatusCode.ERROR });
  }
}
