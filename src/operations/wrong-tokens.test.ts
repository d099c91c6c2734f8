import { expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { MAX_ADDRESSES, WRONG_TOKENS_BURST, WrongTokens } from './wrong-tokens.ts';

test('an address may be wrong so often, and after that once a second', () => {
  const clock = new ManualClock();
  const wrong = new WrongTokens(clock);
  for (let times = 0; times < WRONG_TOKENS_BURST; times++) expect(wrong.wasWrong('a')).toBe(true);
  expect(wrong.wasWrong('a')).toBe(false);
  expect(wrong.wasWrong('b')).toBe(true);
  clock.advance(999);
  expect(wrong.wasWrong('a')).toBe(false);
  clock.advance(1);
  expect(wrong.wasWrong('a')).toBe(true);
  expect(wrong.wasWrong('a')).toBe(false);
});

test('many addresses are not remembered without end, and the newest are', () => {
  const wrong = new WrongTokens(new ManualClock());
  for (let address = 0; address < 3 * MAX_ADDRESSES; address++) wrong.wasWrong(String(address));
  expect(wrong.size).toBe(MAX_ADDRESSES);
  const newest = String(3 * MAX_ADDRESSES - 1);
  for (let times = 1; times < WRONG_TOKENS_BURST; times++) wrong.wasWrong(newest);
  expect(wrong.wasWrong(newest)).toBe(false);
});
