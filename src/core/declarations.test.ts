// In a file of its own: what ends here has ended for the process.
import { expect, it } from 'vitest';
import { errorPage, fragment, guard, layout, page, session } from '../index.ts';
import { endDeclarations } from './declarations.ts';

it('nothing is declared any more once the application is loaded', () => {
  const declared = [
    () => page({ view: () => 'x' }),
    () => fragment('f', { key: () => 1, view: () => 'x' }),
    () => layout({ view: ({ content }) => content }),
    () => errorPage({ view: () => 'x' }),
    () => guard(() => undefined),
    () =>
      session({ schema: { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } } }),
  ];
  for (const declare of declared) expect(declare).not.toThrow();
  endDeclarations();
  for (const declare of declared)
    expect(declare).toThrow(expect.objectContaining({ code: 'E_LATE_DECLARATION' }));
});
