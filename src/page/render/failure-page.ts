// The page for a failure, in the words of the application: pages/_error in the layout. It must come whatever else does
// not, so nothing that it needs may fail it or hold it up. A fragment in the layout is
//
//   400, 500         as in any page, if it is there within a moment; else it is left out
//   503              taken from memory, or left out: what failed may be what it would be made from
//   no room (shed)   left out: one page is made for all who are refused, and kept, where no purge reaches it
import type { Header } from '../../cache/entry.ts';
import type { Clock } from '../../core/clock.ts';
import type { Eventually } from '../../core/eventually.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds, Stamp } from '../../core/units.ts';
import type { Node } from '../../render/element.ts';
import type { FragmentCall } from '../../render/fragment-call.ts';
import type { Application } from '../application/application.ts';
import type { ErrorProps } from '../definitions/error-page.ts';
import type { Head } from '../definitions/head.ts';
import type { Fragments } from './fragments.ts';
import type { Finished } from './page-entry.ts';
import { plainError } from './plain-error.ts';
import { RenderContext, type Sources } from './render-context.ts';

const FRAGMENTS_WITHIN_MS: Milliseconds = 500;
/** Whatever its own view waits for. */
const PAGE_WITHIN_MS: Milliseconds = 1000;
const NO_STAMP: Stamp = Object.freeze({ epoch: '', seq: 0 });

export interface FailurePageOptions {
  readonly application: Application;
  readonly sources: Sources;
  readonly fragments: Fragments;
  readonly clock: Clock;
  readonly log: Logger;
  /** The whole document around `content`. */
  readonly document: (
    parts: { readonly head: Head; readonly content: Node; readonly route: string },
    renderContext: RenderContext,
    resolveFragment: (call: FragmentCall) => string | Promise<string>,
  ) => Eventually<Buffer>;
}

export type FailureProps = ErrorProps & {
  /** There was no room to render the page; this one is shown to all who are refused. */
  readonly shed?: boolean;
  /** What failed, and the template of the page it failed in: for those who develop the application. */
  readonly error?: unknown;
  readonly route?: string;
};

/** Makes the answer for a failure; never rejects. */
export type RenderFailure = (props: FailureProps, headers: readonly Header[]) => Promise<Finished>;

export class FailurePage {
  readonly #options: FailurePageOptions;

  constructor(options: FailurePageOptions) {
    this.#options = options;
  }

  /** Never rejects: when the application's own page fails, a plain one. */
  async render(props: FailureProps, headers: readonly Header[]): Promise<Finished> {
    const { application } = this.#options;
    const { html, scripts } = await this.#html(props);
    const policy: Header = ['content-security-policy', application.security.policyFor(scripts)];
    return { status: props.status, html, headers: [...headers, policy] };
  }

  async #html(
    props: FailureProps,
  ): Promise<{ readonly html: Buffer; readonly scripts: ReadonlySet<string> }> {
    const { application, sources, clock, log, document } = this.#options;
    const definition = application.errorPage?.definition;
    const plain = () => ({ html: Buffer.from(plainError(props), 'utf8'), scripts: new Set<string>() });
    if (definition === undefined) return plain();
    const fragmentsOver = new AbortController();
    const over = new AbortController();
    const timers = [
      clock.after(FRAGMENTS_WITHIN_MS, () => fragmentsOver.abort(tooLong(FRAGMENTS_WITHIN_MS))),
      clock.after(PAGE_WITHIN_MS, () => over.abort(tooLong(PAGE_WITHIN_MS))),
    ];
    const renderContext = new RenderContext(
      { stamp: NO_STAMP, signal: over.signal, nowMs: clock.now() },
      sources,
    );
    const resolve = this.#resolver(props, renderContext, fragmentsOver.signal);
    try {
      const { status, id, detail } = props;
      const told: ErrorProps = { status, id, detail };
      const head = definition.head?.(told) ?? { title: `Error ${status}`, robots: 'noindex' };
      const parts = { head, content: definition.view(told), route: '_error' };
      const marked = await document(parts, renderContext, resolve);
      // What would fill its holes may be what has failed: it shows them as to a visitor without a session.
      return { html: renderContext.holes?.cut(marked).html ?? marked, scripts: renderContext.scripts };
    } catch (error) {
      log.error({ err: error, id: props.id }, 'pages/_error failed itself; a plain page was sent');
      return plain();
    } finally {
      for (const timer of timers) timer.cancel();
    }
  }

  #resolver(
    { status, id, shed }: FailureProps,
    renderContext: RenderContext,
    over: AbortSignal,
  ): (call: FragmentCall) => string | Promise<string> {
    const { fragments, log } = this.#options;
    if (shed === true) return () => '';
    if (status === 503) return (call) => fragments.inMemory(call, renderContext) ?? '';
    const resolve = fragments.resolver(renderContext);
    const leftOut = (error: unknown) => {
      log.warn({ err: error, id }, 'a fragment failed in an error page, and was left out');
      return '';
    };
    return (call) => {
      try {
        const html = resolve(call);
        return typeof html === 'string' ? html : Promise.race([html, aborted(over)]).catch(leftOut);
      } catch (error) {
        return leftOut(error);
      }
    };
  }
}

function tooLong(limitMs: Milliseconds): Error {
  return new Error(`An error page does not wait longer than ${limitMs} ms.`);
}

/** Rejects when `signal` aborts: code that does not heed it is not waited for. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
