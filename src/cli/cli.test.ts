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
  [['init'], { name: 'init', folder: '.', template: 'minimal' }],
  [['init', 'shop', '--template', 'database'], { name: 'init', folder: 'shop', template: 'database' }],
  [['dev'], { name: 'dev', folder: undefined, hosts: [], types: true }],
  [
    ['dev', 'site', '--host', 'a.local', 'b.local', '--no-types'],
    { name: 'dev', folder: 'site', hosts: ['a.local', 'b.local'], types: false },
  ],
  [['build', '--out', 'out'], { name: 'build', folder: undefined, out: 'out', types: true }],
  [['routes'], { name: 'routes', folder: undefined, json: false }],
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
  [['init', '--template', 'rails']],
  [['dev', '--host']],
])('%j is none', (args) => {
  expect(() => parseCommand(args)).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
});

test.each([
  [['--help'], 'Usage: coherent-server [options] [command]'],
  [['config', '-h'], 'Usage: coherent-server config'],
  [['db', 'setup', '--help'], 'Usage: coherent-server db setup'],
])('%j is help', (args, beginning) => {
  expect(parseCommand(args)).toEqual({ name: 'help', text: expect.stringContaining(beginning) });
});

test('a command that is misspelt is told the one it may mean', () => {
  expect(() => parseCommand(['biuld'])).toThrow(/Did you mean build/);
});
