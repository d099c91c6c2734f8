// Files called `_layout` below pages/: each stands around the pages of its folder and of all folders in it, inside of the
// application's own (`pages/_layout`).
import { isLayout, type Layout } from '../definitions/layout.ts';
import { ApplicationError } from '../errors.ts';

const NAME = '/_layout';

/** `file`: below pages/, without extension. */
export function isLayoutFile(file: string): boolean {
  return file.endsWith(NAME);
}

export class LayoutFiles {
  readonly #layouts = new Map<string, Layout>();

  /** Errors: `E_APPLICATION`. */
  add(file: string, exported: unknown): void {
    if (!isLayout(exported))
      throw new ApplicationError(
        `pages/${file}: its default export must be made by layout(), imported from coherent-render-server.`,
      );
    this.#layouts.set(file.slice(0, -NAME.length), exported);
  }

  /** Those around a page, the outermost first. */
  of(file: string): readonly Layout[] {
    const folders = file.split('/').slice(0, -1);
    const around = folders.map((_, at) => folders.slice(0, at + 1).join('/'));
    return Object.freeze(around.flatMap((folder) => this.#layouts.get(folder) ?? []));
  }
}
