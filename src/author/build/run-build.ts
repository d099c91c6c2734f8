import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { CoherentError } from '../../core/errors.ts';
import { failureOf } from '../dev/failure.ts';
import { shownPlace } from '../dev/notices.ts';
import { checkTypes, typeChecker } from '../dev/type-check.ts';
import { projectFolder, shown, sourceFolder } from '../folder.ts';
import { build } from './build.ts';

export interface RunBuildOptions {
  readonly folder: string | undefined;
  readonly out: string;
  readonly types: boolean;
}

/** Resolves to the exit code: 1 where types or a file are wrong. Errors: `E_FOLDER`, `E_TOOL_MISSING`. */
export async function runBuild({ folder: given, out: target, types }: RunBuildOptions): Promise<number> {
  const startedMs = performance.now();
  const folder = realpathSync(sourceFolder(given));
  const project = projectFolder(folder);
  const out = resolve(project, target);
  const command = types ? typeChecker(project) : undefined;
  const mistakes = command === undefined ? [] : await checkTypes(project, command);
  if (mistakes.length > 0) {
    for (const mistake of mistakes)
      process.stderr.write(
        `${mistake.code} ${shownPlace(mistake)} ${mistake.message}\n${mistake.frame ?? ''}\n\n`,
      );
    process.stderr.write(
      `Not built: ${mistakes.length} type ${mistakes.length === 1 ? 'error' : 'errors'}.\n`,
    );
    return 1;
  }
  try {
    const { pages, modules, publicFiles } = await build({ folder, project, out });
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    process.stdout.write(
      `${shown(out)}: ${pages} pages, ${modules} modules, ${publicFiles} public files in ${seconds} s\nServe it with: coherent-server start\n`,
    );
    return 0;
  } catch (error) {
    if (error instanceof CoherentError) throw error;
    const { message, place, frame } = failureOf(error, { project });
    const lines = ['Not built.', place && shownPlace(place), message, frame];
    process.stderr.write(`${lines.filter((line) => line !== undefined).join('\n')}\n`);
    return 1;
  }
}
