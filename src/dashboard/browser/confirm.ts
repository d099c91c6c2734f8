import { byId } from './dom.ts';

/** Asks before something that visitors could notice; false when it was not meant. */
export function confirmed(title: string, text: string, go: string): Promise<boolean> {
  const dialog = byId('confirm');
  if (!(dialog instanceof HTMLDialogElement)) return Promise.resolve(false);
  byId('confirm-title').textContent = title;
  byId('confirm-text').textContent = text;
  byId('confirm-go').textContent = go;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'go'), { once: true });
  });
}
