// The page in the place of one that failed: for the author alone, complete in itself, so that it comes whatever is broken. It
// waits for the next save like any page.
import type { Node } from '../../render/element.ts';
import { render } from '../../render/render.ts';
import { trusted } from '../../render/trust.ts';
import { shown } from '../folder.ts';
import type { FailedStatement, Failure } from './failure.ts';
import { shownPlace } from './notices.ts';

export const CLIENT_SCRIPT = '/__coherent/client.js';

export interface FailedPage {
  readonly status: number;
  /** The template; undefined where no page is to blame. */
  readonly route?: string | undefined;
  /** Absolute. */
  readonly pageFile?: string | undefined;
  readonly failure: Failure;
}

/** Its own: nothing of the application runs in it. */
export const ERROR_PAGE_POLICY =
  "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'";

const STYLE = `
:root { color-scheme: light dark; --ink: #1c1e24; --soft: #5c6270; --paper: #fcfcfd; --panel: #f1f2f5; --red: #b3261e; --mark: #fbe4e2 }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e9ee; --soft: #9aa1b1; --paper: #16181d; --panel: #20232a; --red: #ff8a80; --mark: #4a2523 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem }
.kind { color: var(--red); font: 600 .85rem/1 ui-monospace, monospace; margin: 0 0 .75rem }
h1 { font-size: 1.35rem; line-height: 1.35; margin: 0 0 1.5rem; white-space: pre-wrap; overflow-wrap: anywhere }
h2 { font-size: .95rem; margin: 2rem 0 .5rem }
pre { background: var(--panel); border-radius: .5rem; padding: .9rem 1rem; margin: 0; overflow: auto; font: .85rem/1.6 ui-monospace, monospace }
pre .hot { display: block; margin: 0 -1rem; padding: 0 1rem; background: var(--mark) }
pre b { color: var(--red) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin: 1.5rem 0 0; font-size: .9rem }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere; font-family: ui-monospace, monospace }
summary { cursor: pointer; color: var(--soft); margin: 2rem 0 .5rem }
footer { color: var(--soft); font-size: .85rem; margin-top: 2.5rem }`;

export async function failedPage({ status, route, pageFile, failure }: FailedPage): Promise<string> {
  const { kind, message, place, frame, statement, stack, causes, treePath } = failure;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Route', route],
    ['Page', pageFile === undefined ? undefined : shown(pageFile)],
    ['In the tree', treePath],
  ];
  return await render([
    trusted('<!doctype html>'),
    {
      html: {
        lang: 'en',
        children: [
          {
            head: {
              children: [
                { meta: { charset: 'utf-8' } },
                { meta: { name: 'viewport', content: 'width=device-width, initial-scale=1' } },
                { title: { text: `${status} ${kind}` } },
                { style: { html: trusted(STYLE) } },
                { script: { src: CLIENT_SCRIPT, type: 'module' } },
              ],
            },
          },
          {
            body: {
              children: {
                main: {
                  children: [
                    { p: { className: 'kind', text: kind } },
                    { h1: message },
                    place !== undefined && { h2: shownPlace(place) },
                    frame !== undefined && { pre: { id: 'frame', children: frameLines(frame) } },
                    statementNodes(statement),
                    { dl: { children: facts.map(fact) } },
                    causes.length > 0 && [{ h2: 'Caused by' }, { pre: { text: causes.join('\n') } }],
                    stack !== undefined && {
                      details: { children: [{ summary: 'Stack' }, { pre: { text: stack } }] },
                    },
                    {
                      footer:
                        'This page is shown by coherent-server dev. It goes away with the save that mends it.',
                    },
                  ],
                },
              },
            },
          },
        ],
      },
    },
  ]);
}

function fact([name, value]: readonly [string, string | undefined]): Node {
  return value !== undefined && [{ dt: name }, { dd: value }];
}

function frameLines(frame: string): Node {
  return frame
    .split('\n')
    .map((line) => (/^>|^\s+\|\s*\^/.test(line) ? { span: { className: 'hot', text: line } } : `${line}\n`));
}

function statementNodes(statement: FailedStatement | undefined): Node {
  if (statement === undefined) return null;
  const { text, position, hint } = statement;
  const parts: Node =
    position === undefined
      ? text
      : [
          text.slice(0, position),
          { b: wordAt(text, position) },
          text.slice(position + wordAt(text, position).length),
        ];
  return [
    { h2: 'Statement' },
    { pre: { id: 'statement', children: parts } },
    hint !== undefined && { p: hint },
  ];
}

/** What Postgres points at, up to where it ends. */
function wordAt(text: string, position: number): string {
  return /^(?:[\w.$"]+|.)/s.exec(text.slice(position))?.[0] ?? '';
}
