// Files called `_guard`: each stands before the pages of its folder and of all folders in it.

import { type Guard, isGuard } from '../definitions/guard.ts';
import { ApplicationError } from '../errors.ts';

const NAME = '_guard';

/** `file`: below pages/, without extension. */
export function isGuardFile(file: string): boolean {
  return file === NAME || file.endsWith(`/${NAME}`);
}

export class GuardFiles {
  /** By folder; '' is pages/. */
  readonly #guards = new Map<string, Guard>();

  /** Errors: `E_APPLICATION`. */
  add(file: string, exported: unknown): void {
    if (!isGuard(exported))
      throw new ApplicationError(
        `pages/${file}: its default export must be made by guard(), imported from coherent-render-server.`,
      );
    this.#guards.set(file.slice(0, -NAME.length).replace(/\/$/, ''), exported);
  }

  /** Those before a page, the outermost first. Errors: `E_APPLICATION` for a page of whom it is not clear whether one stands before it. */
  of(file: string): readonly Guard[] {
    if (file !== '' && this.#guards.has(file))
      throw new ApplicationError(
        `pages/${file}.js stands beside pages/${file}/${NAME}, which does not guard it, though its address looks so. Move it to ` +
          `pages/${file}/index, or, if everybody may see it, give it another name.`,
      );
    const folders = file.split('/').slice(0, -1);
    const around = ['', ...folders.map((_, at) => folders.slice(0, at + 1).join('/'))];
    return Object.freeze(around.flatMap((folder) => this.#guards.get(folder) ?? []));
  }
}
