import type { Node } from '../../render/element.ts';
import { dashboardDocument, mark } from './document.ts';

export type LoginState = 'asked' | 'wrong' | 'too-many';

const said: Record<Exclude<LoginState, 'asked'>, string> = {
  wrong: 'That is not the token of this server.',
  'too-many': 'Too many wrong tokens from this address. Wait a few seconds before the next try.',
};

/** Works without script. The token is typed here and nowhere else; from then on a cookie stands for it. */
export function loginPage(assets: string, state: LoginState): Node {
  const problem = state === 'asked' ? undefined : said[state];
  return dashboardDocument({
    title: 'Log in · coherent-server',
    assets,
    body: {
      main: {
        className: 'login',
        children: [
          { h1: { children: [mark, 'coherent-server'] } },
          {
            form: {
              method: 'post',
              action: '/dashboard/login',
              children: [
                { label: { htmlFor: 'token', text: 'Operations token' } },
                {
                  input: {
                    id: 'token',
                    name: 'token',
                    type: 'password',
                    required: true,
                    autofocus: true,
                    maxlength: 512,
                    autocomplete: 'current-password',
                    spellcheck: 'false',
                    'aria-describedby': problem === undefined ? 'token-note' : 'token-problem token-note',
                    ...(problem === undefined ? {} : { 'aria-invalid': 'true' }),
                  },
                },
                problem !== undefined && {
                  p: { id: 'token-problem', className: 'problem', role: 'alert', text: problem },
                },
                {
                  p: {
                    id: 'token-note',
                    className: 'note',
                    text: 'The value of OPS_TOKEN. It is sent once and not kept in the browser.',
                  },
                },
                { button: { type: 'submit', className: 'primary', text: 'Log in' } },
              ],
            },
          },
        ],
      },
    },
  });
}
