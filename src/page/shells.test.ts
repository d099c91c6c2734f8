import { expect, test } from 'vitest';
import { type Shell, Shells } from './shells.ts';

const shell = (text: string): Shell => ({
  before: Buffer.from(text),
  after: Buffer.alloc(0),
  contentSecurityPolicy: '',
  vary: [],
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
