// Uploads: a form with files (multipart/form-data), whose files go where the application wants them while they come. Nothing is
// held but the piece on its way, and what was saved of an upload that is refused in the end is discarded.
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Bytes } from '../../core/units.ts';
import type { Parsed, Shape } from '../definitions/schemas.ts';
import { type BodyKind, bodyKind } from './body.ts';
import type { FileField, FileFields } from './file-fields.ts';
import { readUpload } from './read-upload.ts';

type SavedFiles<F extends FileFields> = {
  readonly [Name in keyof F]: F[Name] extends FileField<infer T> ? readonly T[] : never;
};

export interface UploadOptions<S extends Shape, F extends FileFields> {
  /** By schema, as the fields of a form. */
  readonly fields?: S;
  readonly files: F;
}

export interface Upload<S extends Shape, F extends FileFields> {
  readonly fields: Parsed<S>;
  /** What the sinks have saved, in the order it came. */
  readonly files: SavedFiles<F>;
}

type NoShape = Readonly<Record<never, never>>;

/**
 * A body with files. 413 where one is too large, 415 where one is of another type, 422 where a field is refused or a file is missing.
 *
 * @example
 *     POST: {
 *       body: upload({ files: { picture: { sink: toFolder('/var/lib/shop'), maxBytes: 5_000_000, types: ['image/png', 'image/jpeg'] } } }),
 *       handler: ({ body }) => redirect(`/pictures/${body.files.picture[0]?.id}`),
 *     }
 */
export function upload<const S extends Shape = NoShape, const F extends FileFields = FileFields>({
  fields,
  files,
}: UploadOptions<S, F>): BodyKind<Upload<S, F>> {
  const shape: Readonly<Record<string, StandardSchemaV1>> = fields ?? {};
  let maxBytes = ENVELOPE_BYTES;
  for (const [name, { maxBytes: each, max = 1, min = 1 }] of Object.entries(files)) {
    if (!(each > 0) || !Number.isInteger(max) || max < 1 || !Number.isInteger(min) || min < 0 || min > max)
      throw new TypeError(
        `upload(): files.${name} needs maxBytes above 0, and whole numbers 0 <= min <= max.`,
      );
    maxBytes += each * max;
  }
  return bodyKind<Upload<S, F>>(
    // What the sinks resolve with is what the handler is told it gets.
    async (body) => (await readUpload(body, shape, files)) as unknown as Upload<S, F>,
    { streams: true, maxBytes },
  );
}

/** Of all fields and the lines between the parts. */
const ENVELOPE_BYTES: Bytes = 256 * 1024;
