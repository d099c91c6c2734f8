import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Commonplace, startCommonplace } from './commonplace.ts';
import { attribute, type Document, type Element, text, within } from './document.ts';

let app: Commonplace;

beforeAll(async () => {
  app = await startCommonplace();
});
afterAll(() => app.close());

const PAGES = [
  '/',
  '/posts',
  '/posts?topic=books',
  '/posts/1998',
  '/users',
  '/users?page=3&sort=-name',
  '/users/17',
  '/search',
  '/search?q=bread',
  '/search?q=nothing-like-it',
  '/about',
  '/nowhere',
];

describe.each(PAGES)('%s', (path) => {
  let document: Document;
  beforeAll(async () => {
    document = (await app.open(path)).document;
  });

  test('has a language, a title and one first heading, and headings that do not skip a level', () => {
    expect(attribute(document.all('html')[0]!, 'lang')).toBe('en');
    expect(document.textOf('title')).not.toBe('');
    const levels = document.all('h1', 'h2', 'h3', 'h4').map((heading) => Number(heading.tagName.slice(1)));
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    for (const [at, level] of levels.entries()) expect(level - (levels[at - 1] ?? 0)).toBeLessThanOrEqual(1);
  });

  test('has its landmarks, and a first link that leads past the masthead', () => {
    for (const tag of ['header', 'main', 'footer']) expect(document.all(tag), tag).toHaveLength(1);
    expect(attribute(document.all('main')[0]!, 'id')).toBe('content');
    expect(document.links()[0]).toBe('#content');
    const navs = document.all('nav').map((nav) => nameOf(document, nav));
    expect(navs).not.toContain('');
    expect(new Set(navs).size).toBe(navs.length);
  });

  test('has a name for every link, button and field', () => {
    for (const element of document.all('a', 'button')) expect(nameOf(document, element)).not.toBe('');
    for (const field of document.all('input')) {
      const label = document.all('label').find((each) => attribute(each, 'for') === attribute(field, 'id'));
      expect(text(label!)).not.toBe('');
    }
    for (const svg of document.all('svg')) expect(attribute(svg, 'aria-hidden')).toBe('true');
  });

  test('has no id twice, and refers to none that is missing', () => {
    const ids = document.elements.flatMap((element) => attribute(element, 'id') ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const element of document.elements) {
      const target = attribute(element, 'aria-labelledby');
      if (target !== undefined) expect(ids).toContain(target);
    }
  });

  test('says of every column and row of a table what it holds', () => {
    for (const table of document.all('table')) {
      expect(within(table, 'caption')).toHaveLength(1);
      for (const cell of within(table, 'th')) expect(attribute(cell, 'scope')).toMatch(/^(col|row)$/);
    }
  });

  test('gives every date for machines too', () => {
    for (const time of document.all('time')) {
      expect(attribute(time, 'datetime')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    }
  });
});

test('every link of every page leads somewhere', async () => {
  const links = new Set<string>();
  for (const path of PAGES) {
    for (const link of (await app.open(path)).document.links()) links.add(link.replace(/#.*/, ''));
  }
  links.delete('');
  expect(links.size).toBeGreaterThan(80);
  // As many at once as there are connections to the database.
  const left = [...links];
  const walk = async () => {
    for (let link = left.pop(); link !== undefined; link = left.pop()) {
      const answer = await app.ask(link);
      await answer.arrayBuffer();
      // Who is not signed in is sent to where they can be.
      expect([link, answer.status]).toEqual([link, link.startsWith('/my/') ? 303 : 200]);
    }
  };
  await Promise.all([walk(), walk(), walk(), walk()]);
});

test('style sheet and icon are there under their hashed names', async () => {
  const { document } = await app.open('/');
  const files = document
    .all('link')
    .filter((link) => /stylesheet|icon/.test(attribute(link, 'rel') ?? ''))
    .map((link) => attribute(link, 'href') ?? '');
  expect(files).toHaveLength(2);
  for (const file of files) {
    const answer = await app.ask(file);
    expect([file, answer.status]).toEqual([file, 200]);
    expect(answer.headers.get('cache-control')).toContain('immutable');
    await answer.arrayBuffer();
  }
});

/** The name that assistive technology reads; enough of the rules for these pages. */
function nameOf(document: Document, element: Element): string {
  const label = attribute(element, 'aria-labelledby');
  const labelled = label === undefined ? undefined : document.byId(label);
  return (attribute(element, 'aria-label') ?? text(labelled ?? element)).trim();
}
