import { expect, test } from 'vitest';
import { parseCommand } from './cli.ts';

test.each([
  [[], { name: 'start' }],
  [['start'], { name: 'start' }],
  [['config'], { name: 'config', json: false }],
  [['explain', 'users#1', '--json'], { name: 'explain', what: 'users#1', json: true }],
  [['config', '--json'], { name: 'config', json: true }],
  [['report'], { name: 'report', json: false }],
  [['report', '--json'], { name: 'report', json: true }],
  [['db', 'setup'], { name: 'db setup', sample: false }],
  [['db', 'setup', '--sample'], { name: 'db setup', sample: true }],
  [['db', 'remove'], { name: 'db remove', force: false }],
  [['db', 'remove', '--force'], { name: 'db remove', force: true }],
  [['db', 'prepare'], { name: 'db prepare', role: undefined }],
  [['db', 'prepare', 'web'], { name: 'db prepare', role: 'web' }],
  [['purge', 'users#17'], { name: 'purge', keys: ['users#17'], expire: false, wait: false }],
  [
    ['purge', 'a', 'b c', '--wait', '--expire'],
    { name: 'purge', keys: ['a', 'b c'], expire: true, wait: true },
  ],
  [['explain', '/users/17'], { name: 'explain', what: '/users/17', json: false }],
  [['--help'], { name: 'help' }],
  [['config', '-h'], { name: 'help' }],
  [['-v'], { name: 'version' }],
])('%j is a command', (args, command) => {
  expect(parseCommand(args)).toEqual(command);
});

test.each([
  [['serve']],
  [['db']],
  [['--port', '80']],
  [['--json']],
  [['start', 'now']],
  [['purge']],
  [['start', '--wait']],
  [['config', '--expire']],
  [['explain']],
  [['explain', 'a', 'b']],
])('%j is none', (args) => {
  expect(() => parseCommand(args)).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
});
