// A sink that keeps files in a folder, under names that are made here: what a visitor's computer called a file is never part of a path.
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Bytes } from '../../core/units.ts';
import type { IncomingFile, Sink } from './file-fields.ts';

export interface SavedFile {
  /** A UUID: the file's name in the folder. */
  readonly id: string;
  readonly path: string;
  /** As the visitor's computer called it. */
  readonly name: string;
  readonly type: string;
  readonly bytes: Bytes;
}

/** Keeps each file in `folder` under an id. It has that name only once it is complete: what broke off is removed. */
export function toFolder(folder: string): Sink<SavedFile> {
  return {
    async save({ stream, name, type }: IncomingFile): Promise<SavedFile> {
      await mkdir(folder, { recursive: true });
      const id = randomUUID();
      const path = join(folder, id);
      const part = `${path}.part`;
      const file = createWriteStream(part, { flags: 'wx', mode: 0o640 });
      try {
        await pipeline(stream, file);
        await rename(part, path);
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
      return { id, path, name, type, bytes: file.bytesWritten };
    },
    discard: ({ path }) => rm(path, { force: true }),
  };
}
