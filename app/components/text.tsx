import type { Node } from 'coherent-render-server';

/** `1 comment`, `12,000 posts`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${grouped(n)} ${n === 1 ? one : many}`;
}

/** 12000 as 12,000. */
export function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** The paragraphs of a text in which empty lines separate them. */
export function paragraphs(text: string): Node[] {
  return text.split(/\n{2,}/).map((paragraph) => <p dir="auto">{paragraph}</p>);
}

/** What is only for those who listen to the page. */
export function spoken(text: string): Node {
  return <span className="hidden">{text}</span>;
}

/** `lang` for text that is not in the site's own language; nothing for the rest. */
export function foreign(lang: string): string | undefined {
  return lang === 'en' ? undefined : lang;
}

/** The marks that the search statement puts around the words it found: from the private use area, so no text has them. */
export const FOUND_START = '\ue000';
export const FOUND_END = '\ue001';

/** Text in which found words are marked, as nodes: what was text stays text. */
export function highlighted(text: string): Node[] {
  return text.split(FOUND_START).flatMap((piece, at): Node[] => {
    const end = at === 0 ? -1 : piece.indexOf(FOUND_END);
    return end < 0 ? [piece] : [<mark>{piece.slice(0, end)}</mark>, piece.slice(end + 1)];
  });
}
