import { expect, test } from 'vitest';
import { parseCommand } from './cli.ts';

test.each([
  [[], { name: 'start' }],
  [['start'], { name: 'start' }],
  [['config'], { name: 'config', json: false }],
  [['config', '--json'], { name: 'config', json: true }],
  [['db', 'setup'], { name: 'db setup' }],
  [['--help'], { name: 'help' }],
  [['config', '-h'], { name: 'help' }],
  [['-v'], { name: 'version' }],
])('%j is a command', (args, command) => {
  expect(parseCommand(args)).toEqual(command);
});

test.each([[['serve']], [['db']], [['--port', '80']], [['--json']], [['start', 'now']]])(
  '%j is none',
  (args) => {
    expect(() => parseCommand(args)).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
  },
);
