// What must compile, and what must not: tsc fails on an expected error that is none.
import type { CustomElement } from 'coherent-render-server';
import type { ElementObject, Node } from '../element.ts';
import { html } from '../html.ts';
import { safeUrl } from '../safe-url.ts';
import { trusted } from '../trust.ts';

declare module 'coherent-render-server' {
  interface CustomElements {
    'my-clock': CustomElement<{ readonly zone?: string }>;
  }
}

declare const isNew: boolean;
declare const url: string;
declare const later: Promise<string>;
declare const handle: () => void;

const Card = ({ title, children }: { readonly title: string; readonly children?: Node }) => (
  <article title={title}>{children}</article>
);
const Later = async ({ id }: { readonly id: number }) => <b>{id}</b>;
const Heading: 'h1' | 'h2' = isNew ? 'h1' : 'h2';

export const compiles: readonly Node[] = [
  <p
    className={['a', isNew && 'b', null, ['c']]}
    style={{ '--gap': '4px', zIndex: 3, color: null }}
    key={1}
  />,
  <a href={safeUrl(url)} title={later} tabindex={0} data-id={7} aria-current={isNew && 'page'}>
    x {1} {null} {isNew && <b>y</b>} {[1, 'a', <i>z</i>]} {later} {() => 'w'} {{ em: 'v' }}{' '}
    {html`<u>${1}</u>`}
  </a>,
  <label htmlFor="x" for={undefined} />,
  <svg viewBox="0 0 1 1" stroke-width={2}>
    <path d="M0 0" fill="none" fill-rule="evenodd" />
  </svg>,
  <script html={trusted('x()')} />,
  <button type="submit" disabled={isNew} onclick={trusted('x()')} />,
  <td colspan="2" rowspan={3} />,
  <Card title="x">
    <p>y</p>z
  </Card>,
  <Later id={1} key="a" />,
  <Heading id="x">y</Heading>,
  <my-clock zone="UTC" className="x">
    12:00
  </my-clock>,
  <>
    {1}
    <hr />
  </>,
];

export const objects: readonly ElementObject[] = [
  { p: { className: ['a', isNew && 'b'], text: 'x' } },
  { p: null },
  { ul: [{ li: 'x' }, <li>y</li>, [{ li: { key: 1, text: later } }]] },
  { a: { href: url, 'data-x': 1, 'aria-hidden': 'true', children: { svg: { 'stroke-width': 2 } } } },
  { script: { html: trusted('x()') } },
  { p: () => ({ id: 'x' }) },
  { 'my-clock': { zone: 'UTC', text: '12:00' } },
];

export const refused: readonly Node[] = [
  // @ts-expect-error a name that is misspelt
  <a hreff="/">x</a>,
  // @ts-expect-error a tag that is misspelt
  <articel />,
  // @ts-expect-error another camelCase name than HTML's
  <input tabIndex={0} />,
  // @ts-expect-error the same in SVG
  <path strokeWidth={2} />,
  // @ts-expect-error a handler
  <button onClick={() => handle()} />,
  // @ts-expect-error the same in HTML's spelling
  <button onclick={() => handle()} />,
  // @ts-expect-error code as text
  <button onclick="handle()" />,
  // @ts-expect-error an object as text
  <p text={new Date()} />,
  // @ts-expect-error an object as a child
  <p>{new Date()}</p>,
  // @ts-expect-error markup as text
  <p html="<b>" />,
  // @ts-expect-error a document as text
  <iframe srcdoc="<p>" />,
  // @ts-expect-error a word that the attribute does not know
  <input type="txet" />,
  // @ts-expect-error a state that would be present without its word
  <p aria-hidden={true} />,
  // @ts-expect-error text for a number
  <td colspan="two" />,
  // @ts-expect-error an object that is no attribute's value
  <p title={{ a: 1 }} />,
  // @ts-expect-error another element's attribute
  <p href="/" />,
  // @ts-expect-error content of an element that has none
  <br>x</br>,
  // @ts-expect-error a base address that is not the site's own
  <base href="https://elsewhere.example/" />,
  // @ts-expect-error a prop that the component does not have
  <Card titel="x" />,
  // @ts-expect-error a component that returns no node
  <RegExp />,
  // @ts-expect-error another type than the custom element was declared with
  <my-clock zone={1} />,
];

export const refusedObjects: readonly Node[] = [
  // @ts-expect-error a name that is misspelt
  { a: { hreff: '/' } },
  // @ts-expect-error a tag that is misspelt
  { articel: 'x' },
  // @ts-expect-error two keys
  { h1: 'a', p: 'b' },
  // @ts-expect-error none
  {},
  // @ts-expect-error markup as text
  { p: { html: '<b>' } },
  // @ts-expect-error an object as text
  { p: { text: new Date() } },
  // @ts-expect-error an object in the place of props
  { p: new Date() },
  // @ts-expect-error an object as a child
  { p: { children: [new Date()] } },
  // @ts-expect-error a handler
  { button: { onClick: () => handle() } },
  // @ts-expect-error the same in HTML's spelling
  { button: { onclick: () => handle() } },
  // @ts-expect-error another camelCase name than HTML's
  { input: { tabIndex: 0 } },
  // @ts-expect-error a misspelt name with a hyphen, which JSX does not look at
  { path: { 'stroke-widht': 2 } },
  // @ts-expect-error content of an element that has none
  { br: { text: 'x' } },
  // @ts-expect-error deep in a tree
  { ul: { children: [{ li: { children: { a: { href: '/', txet: 'x' } } } }] } },
];
