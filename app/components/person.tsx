import type { Node } from 'coherent-render-server';

const HUES = 12;

/** Initials on a colour that stays with the person. The colour is a class: the page's policy allows no inline style. */
export function avatar(id: number, name: string, size = ''): Node {
  return (
    <span className={`avatar hue-${hueOf(id)} ${size}`.trim()} aria-hidden="true">
      {initials(name)}
    </span>
  );
}

/** Neighbouring ids get colours far apart (Knuth's multiplicative hash). */
function hueOf(id: number): number {
  return (Math.imul(id, 2_654_435_761) >>> 16) % HUES;
}

/** The first letters of the first and the last word that have one; scripts without capitals give one letter. */
function initials(name: string): string {
  const letters = name.split(/\s+/).flatMap((word) => word.match(/\p{L}/u)?.[0] ?? []);
  const [first, last] = [letters.at(0) ?? '?', letters.length > 1 ? (letters.at(-1) ?? '') : ''];
  return /\p{Lu}|\p{Ll}/u.test(first) ? (first + last).toUpperCase() : first;
}

export function personLink(id: number, name: string): Node {
  return (
    <a href={`/users/${id}`} dir="auto">
      {name}
    </a>
  );
}

/** One person in a list: face, name, and a line about them. */
export function person(props: { id: number; name: string; note: Node }): Node {
  return (
    <div className="person">
      {avatar(props.id, props.name)}
      <div>
        {personLink(props.id, props.name)}
        <span className="note">{props.note}</span>
      </div>
    </div>
  );
}
