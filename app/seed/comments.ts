import { awake, LAST_DAY, postedAt } from './calendar.ts';
import { filler, writer } from './posts.ts';
import { random } from './random.ts';
import { AWKWARD_REPLIES, REPLIES } from './texts.ts';

export interface Comment {
  readonly postId: number;
  readonly userId: number;
  readonly body: string;
  readonly createdMs: number;
}

const DAY_MS = 86_400_000;

/** `count` comments on `postCount` posts by `userCount` people: most posts have one or two, a few have dozens. */
export function* comments(count: number, postCount: number, userCount: number): Generator<Comment> {
  const dice = random(100_000);
  const shares = popularity(postCount);
  let given = 0;
  let share = 0;
  for (let postId = 1; postId <= postCount; postId++) {
    share += shares[postId - 1] ?? 0;
    const until = postId === postCount ? count : Math.floor(count * share);
    const posted = postedAt(postId, postCount);
    const moments = Array.from({ length: until - given }, () => reply(dice.unit(), posted)).sort(
      (a, b) => a - b,
    );
    given = until;
    for (const createdMs of moments) {
      const text = dice.chance(0.012) ? dice.pick(AWKWARD_REPLIES) : replyText();
      yield { postId, userId: writer(dice, createdMs, userCount), body: text, createdMs };
    }

    function replyText(): string {
      const fill = filler(dice, 'one', posted);
      return dice
        .some(REPLIES, dice.chance(0.3) ? 2 : 1)
        .map(fill)
        .join(' ');
    }
  }
}

/** Each post's part of all comments; the parts add up to 1. */
function popularity(postCount: number): Float64Array {
  const dice = random(7);
  const weights = Float64Array.from({ length: postCount }, () =>
    Math.min(40, (1 - dice.unit()) ** -0.7 - 0.7),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Most answers come within two days; none before the post, and none after the sample's last day. */
function reply(chance: number, posted: number): number {
  const moment = awake(posted - 2 * DAY_MS * Math.log(1 - chance));
  const left = LAST_DAY - posted;
  return moment > posted && moment < LAST_DAY ? moment : Math.floor(posted + left * chance * 0.9);
}
