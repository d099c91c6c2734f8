import { expect, test } from 'vitest';
import { type Shell, Shells } from './shells.ts';

const shell = (text: string): Shell => ({
  before: Buffer.from(text),
  after: Buffer.alloc(0),
  contentSecurityPolicy: '',
  vary: [],
  cookies: [],
});

test('whoever waits for a render is told its shell once, however late he came', () => {
  const shells = new Shells();
  const heard: string[] = [];
  const tell = (who: string) => (told: Shell) => heard.push(`${who} ${told.before}`);
  shells.wait('a', tell('early'));
  shells.wait('b', tell('elsewhere'));
  shells.wait('a', tell('gone'))();
  shells.announce('a', shell('one'));
  shells.wait('a', tell('late'));
  shells.announce('a', shell('two'));
  expect(heard).toEqual(['early one', 'late one']);
});

test('nobody is told the shell of a render that is over', () => {
  const shells = new Shells();
  const heard: string[] = [];
  shells.announce('a', shell('one'));
  shells.forget('a');
  shells.wait('a', ({ before }) => heard.push(String(before)));
  expect(heard).toEqual([]);
});

test('the shell of what another process renders is made for the first who waits for it, and for nobody', () => {
  const shells = new Shells();
  const made: string[] = [];
  const heard: string[] = [];
  const offer = (key: string) =>
    shells.offer(key, () => {
      made.push(key);
      shells.announce(key, shell(`of ${key}`));
    });
  shells.wait('a', ({ before }) => heard.push(String(before)));
  offer('a');
  offer('b');
  offer('c');
  shells.forget('c');
  expect(made).toEqual(['a']);
  shells.wait('b', ({ before }) => heard.push(String(before)));
  shells.wait('b', ({ before }) => heard.push(String(before)));
  shells.wait('c', ({ before }) => heard.push(String(before)));
  expect(made).toEqual(['a', 'b']);
  expect(heard).toEqual(['of a', 'of b', 'of b']);
});
