// What `coherent-server dev` adds to each page: it shows the page anew after a save, says in the console what the server has to
// say, and holds type errors in a corner. A page that is not looked at waits.

interface TypeMistake {
  readonly place: string;
  readonly message: string;
  readonly frame?: string;
}

type Message =
  | { readonly type: 'hello'; readonly types: readonly TypeMistake[] }
  | { readonly type: 'reload' }
  | { readonly type: 'styles'; readonly hrefs: Readonly<Record<string, string>> }
  | { readonly type: 'notice'; readonly text: string }
  | { readonly type: 'types'; readonly mistakes: readonly TypeMistake[] };

const RETRY_MS = 500;
const hashed = /\.[0-9a-f]{12}(\.[^./]+)$/;
let wasOpen = false;

function connect(): void {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(`${scheme}//${location.host}/__coherent/live`);
  socket.addEventListener('open', () => {
    // The server was away: what is shown may be old.
    if (wasOpen) location.reload();
    wasOpen = true;
  });
  socket.addEventListener('message', ({ data }) => receive(JSON.parse(String(data)) as Message));
  socket.addEventListener('close', () => setTimeout(connect, RETRY_MS));
}

function receive(message: Message): void {
  switch (message.type) {
    case 'reload':
      location.reload();
      break;
    case 'styles':
      restyle(message.hrefs);
      break;
    case 'notice':
      // biome-ignore lint/suspicious/noConsole: it is where an author looks.
      console.warn(`coherent: ${message.text}`);
      break;
    case 'hello':
      showTypes(message.types);
      break;
    case 'types':
      showTypes(message.mistakes);
      break;
  }
}

/** By paths without their hash. The old sheet goes when the new one is there, so that nothing flickers. */
function restyle(hrefs: Readonly<Record<string, string>>): void {
  for (const link of document.querySelectorAll<HTMLLinkElement>('link[rel~="stylesheet"]')) {
    const path = decodeURI(new URL(link.href).pathname).replace(hashed, '$1');
    const href = hrefs[path];
    if (href === undefined) continue;
    const next = link.cloneNode() as HTMLLinkElement;
    next.href = href;
    next.addEventListener('load', () => link.remove());
    link.after(next);
  }
}

function showTypes(mistakes: readonly TypeMistake[]): void {
  const id = 'coherent-types';
  document.getElementById(id)?.remove();
  if (mistakes.length === 0) return;
  const host = document.createElement('div');
  host.id = id;
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    details { position: fixed; inset: auto 1rem 1rem auto; z-index: 2147483647; max-width: min(56rem, calc(100vw - 2rem));
      max-height: 70vh; overflow: auto; background: #20232a; color: #e7e9ee; border-radius: .5rem; font: 14px/1.5 system-ui, sans-serif }
    summary { cursor: pointer; padding: .5rem .9rem; color: #ff8a80; font-weight: 600 }
    pre { margin: 0; padding: .5rem .9rem .9rem; white-space: pre-wrap; font: 13px/1.5 ui-monospace, monospace }`);
  root.adoptedStyleSheets = [sheet];
  const details = document.createElement('details');
  const summary = document.createElement('summary');
  summary.textContent = mistakes.length === 1 ? '1 type error' : `${mistakes.length} type errors`;
  details.append(summary);
  for (const { place, message, frame } of mistakes) {
    const text = document.createElement('pre');
    text.textContent = [place, message, frame].filter((each) => each !== undefined).join('\n');
    details.append(text);
  }
  root.append(details);
  document.body.append(host);
}

connect();
