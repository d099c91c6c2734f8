import { TOPICS } from '../topics.ts';
import { joinedBy, monthOf, postedAt } from './calendar.ts';
import { ODD_POSTS } from './odd-posts.ts';
import type { Post } from './post.ts';
import { type Random, random } from './random.ts';
import { CLOSERS, KIN, PHRASES, SPOTS } from './texts.ts';

const DAYS = 'Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday'.split(',');
const COUNTS = 'two,three,four,five,six,seven,eight,nine,ten,eleven,twelve'.split(',');
const TIMES = 'dawn,half past five,six,a quarter to seven,first light,dusk,ten at night,midnight'.split(',');

/** `count` posts by `userCount` people, oldest first, the same ones every time. */
export function* posts(count: number, userCount: number): Generator<Post> {
  const dice = random(50_000);
  for (let n = 1; n <= count; n++) {
    const createdMs = postedAt(n, count);
    const userId = writer(dice, createdMs, userCount);
    const words = oddOne(n, count) ?? written(dice, createdMs);
    yield { ...words, userId, createdMs };
  }
}

/** Somebody who had joined by then. Those who came first write the most. */
export function writer(dice: Random, moment: number, userCount: number): number {
  return 1 + Math.floor(joinedBy(moment, userCount) * dice.unit() ** 1.8);
}

type Words = Pick<Post, 'topic' | 'lang' | 'title' | 'summary' | 'body'>;

/** A few posts in other scripts, and some that look like markup: spread thinly, and a handful at the end. */
function oddOne(n: number, count: number): Words | undefined {
  const fromEnd = count - n;
  if (fromEnd < 40) return fromEnd % 4 === 2 ? ODD_POSTS[(fromEnd - 2) / 4] : undefined;
  return n % 313 === 0 ? ODD_POSTS[(n / 313) % ODD_POSTS.length] : undefined;
}

function written(dice: Random, moment: number): Words {
  const topic = dice.pick(TOPICS).slug;
  const phrases = PHRASES[topic];
  const fill = filler(dice, dice.pick(phrases.things), moment);
  const middles = dice.some(phrases.middles, dice.between(3, 5));
  const cut = dice.between(1, middles.length - 1);
  const summary = fill(dice.pick(phrases.summaries));
  const paragraphs = [
    summary,
    middles.slice(0, cut).map(fill).join(' '),
    middles.slice(cut).map(fill).join(' '),
  ];
  if (dice.chance(0.6)) paragraphs.push(dice.pick(CLOSERS));
  return {
    topic,
    lang: 'en',
    title: fill(dice.pick(phrases.titles)),
    summary,
    body: paragraphs.join('\n\n'),
  };
}

/** Puts words in for `{slots}`, each the same throughout one text, and begins the text with a capital. */
export function filler(dice: Random, thing: string, moment: number): (template: string) => string {
  const words = new Map<string, string>([
    ['thing', thing],
    ['kin', dice.pick(KIN)],
    ['place', dice.pick(SPOTS)],
    ['month', monthOf(moment)],
    ['day', dice.pick(DAYS)],
    ['time', dice.pick(TIMES)],
    ['year', String(dice.between(1931, 1989))],
    ['age', String(dice.between(34, 81))],
  ]);
  return (template) => {
    const text = template.replace(/\{(\w+)\}/g, (slot, name: string) =>
      // A number that turned up everywhere in a text would look like a mistake.
      name === 'count' ? dice.pick(COUNTS) : (words.get(name) ?? slot),
    );
    return text.replace(
      /(^|\. )([a-z])/g,
      (_, before: string, letter: string) => before + letter.toUpperCase(),
    );
  };
}
