// Reads multipart/form-data with @fastify/busboy. Its life:
//
//   reading    fields are kept, each file goes to its sink as it comes, one after the other
//   refused    the first thing that is wrong ends it: what is under way fails, what was saved is discarded
//   read       all came; fields are parsed by their schemas, and the handler runs
import { PassThrough, type Readable } from 'node:stream';
import { Busboy } from '@fastify/busboy';
import type { Shape } from '../definitions/schemas.ts';
import { BodyRefused, type IncomingBody, type Issue } from './body.ts';
import type { FileFields } from './file-fields.ts';
import { begin, typeOf } from './file-type.ts';

const TYPE = 'multipart/form-data';
/** Of one field. */
const MAX_FIELD_BYTES = 64 * 1024;
const MAX_NAME_BYTES = 100;
/** Forms of people have few. */
const MAX_FIELDS = 100;
const MAX_HEADERS_BYTES = 8 * 1024;

interface Saved {
  readonly name: string;
  readonly value: unknown;
  readonly discard: () => Promise<void>;
}

/** Rejects with `BodyRefused` or `BodyCut`, or with what a sink rejects with; nothing is left saved then. */
export async function readUpload(
  body: IncomingBody,
  shape: Shape,
  files: FileFields,
): Promise<{ readonly fields: object; readonly files: object }> {
  if (body.type !== TYPE) throw new BodyRefused(415, `Send the body as ${TYPE}.`, { accepts: [TYPE] });
  const reading = new Reading(files);
  try {
    await reading.read(body);
    return { fields: await fieldsOf(shape, reading.fields), files: filesOf(files, reading.saved) };
  } catch (error) {
    await Promise.allSettled(reading.saved.map(({ discard }) => discard()));
    throw error;
  }
}

class Reading {
  readonly fields = new Map<string, string | string[]>();
  readonly saved: Saved[] = [];
  readonly #files: FileFields;
  readonly #counts = new Map<string, number>();
  readonly #saving: Promise<void>[] = [];

  constructor(files: FileFields) {
    this.#files = files;
  }

  async read(body: IncomingBody): Promise<void> {
    const parser = parserOf(body, this.#files);
    const stream = body.stream();
    await new Promise<void>((resolve, reject) => {
      const refuse = (status: 400 | 413, why: string) => reject(new BodyRefused(status, why));
      parser.on('field', (name, value, nameCut, valueCut) => {
        if (nameCut) refuse(400, `A field has a name of more than ${MAX_NAME_BYTES} bytes.`);
        else if (valueCut) refuse(413, `A field has at most ${MAX_FIELD_BYTES} bytes.`);
        else this.#field(name, value);
      });
      parser.on('file', (name, part, fileName, _encoding, type) => {
        const saving = this.#file(name, part, fileName ?? '', type);
        this.#saving.push(saving);
        saving.catch(reject);
      });
      parser.on('partsLimit', () => refuse(413, 'The form has too many parts.'));
      parser.on('filesLimit', () => refuse(413, 'The form has too many files.'));
      parser.on('fieldsLimit', () => refuse(413, `The form has more than ${MAX_FIELDS} fields.`));
      parser.on('error', () => refuse(400, 'The form is not written properly.'));
      parser.on('finish', resolve);
      stream.on('error', reject);
      stream.pipe(parser);
    })
      .then(() => Promise.all(this.#saving))
      .catch(async (error: unknown) => {
        stream.unpipe(parser);
        stream.resume();
        parser.destroy();
        for (const part of this.#open) part.destroy(error instanceof Error ? error : undefined);
        await Promise.allSettled(this.#saving);
        throw error;
      });
  }

  readonly #open = new Set<PassThrough>();

  #field(name: string, value: string): void {
    const held = this.fields.get(name);
    if (held === undefined) this.fields.set(name, value);
    else if (typeof held === 'string') this.fields.set(name, [held, value]);
    else held.push(value);
  }

  async #file(
    name: string,
    part: Readable & { truncated?: boolean },
    fileName: string,
    said: string,
  ): Promise<void> {
    const field = Object.hasOwn(this.#files, name) ? this.#files[name] : undefined;
    // A browser sends an empty part for a field in which nothing was chosen.
    const { first, whole: stream } = await begin(this.#through(part, field?.maxBytes ?? MAX_FIELD_BYTES));
    if (first.length === 0 && fileName === '') {
      stream.resume();
      return;
    }
    if (field === undefined) throw new BodyRefused(400, 'The form has a file in a field that takes none.');
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    const { max = 1, types, sink } = field;
    if (count > max) throw new BodyRefused(413, `At most ${max} files are taken as '${name}'.`);
    const type = await typeOf(first, said);
    if (types !== undefined && !types.includes(type ?? ''))
      throw new BodyRefused(415, `A file of '${name}' is not what is taken here: ${types.join(', ')}.`);
    const value = await sink.save({
      stream,
      name: lastOf(fileName),
      type: type ?? 'application/octet-stream',
    });
    const discard = async () => sink.discard?.(value);
    // A sink that has not read to the end has not saved it.
    if (!stream.readableEnded) {
      await discard();
      throw stream.errored ?? new Error(`The sink of '${name}' did not read its stream to the end.`);
    }
    this.saved.push({ name, value, discard });
  }

  /** The part, as long as it is not too large. */
  #through(part: Readable & { truncated?: boolean }, maxBytes: number): PassThrough {
    const stream = new PassThrough();
    this.#open.add(stream);
    const tooLarge = () => stream.destroy(new BodyRefused(413, `A file has at most ${maxBytes} bytes here.`));
    let bytes = 0;
    part.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) tooLarge();
      else if (!stream.destroyed && !stream.write(chunk)) part.pause();
    });
    stream.on('drain', () => part.resume());
    part.on('limit', tooLarge);
    part.on('end', () => {
      if (!stream.destroyed) stream.end();
    });
    part.on('error', (error) => stream.destroy(error));
    stream.on('close', () => {
      this.#open.delete(stream);
      part.resume();
    });
    // That it failed is told by whoever reads it.
    stream.on('error', () => {});
    return stream;
  }
}

function parserOf(body: IncomingBody, files: FileFields) {
  const counts = Object.values(files).map(({ max = 1 }) => max);
  const maxFiles = counts.reduce((sum, max) => sum + max, 0) + 1;
  const largest = Math.max(0, ...Object.values(files).map(({ maxBytes }) => maxBytes));
  try {
    return new Busboy({
      headers: { 'content-type': body.contentType },
      limits: {
        fieldNameSize: MAX_NAME_BYTES,
        fieldSize: MAX_FIELD_BYTES,
        fields: MAX_FIELDS,
        files: maxFiles,
        fileSize: largest + 1,
        parts: MAX_FIELDS + maxFiles,
        headerPairs: 20,
        headerSize: MAX_HEADERS_BYTES,
      },
    });
  } catch {
    throw new BodyRefused(400, 'The form says no boundary of its parts.');
  }
}

async function fieldsOf(shape: Shape, given: ReadonlyMap<string, unknown>): Promise<object> {
  const fields: Record<string, unknown> = {};
  const issues: Issue[] = [];
  for (const [name, schema] of Object.entries(shape)) {
    const value = given.get(name);
    const holdsNul = [value].flat().some((each) => typeof each === 'string' && each.includes('\0'));
    const result = await schema['~standard'].validate(value);
    if (holdsNul) issues.push({ path: name, message: 'It holds a character that cannot be taken.' });
    else if (result.issues === undefined) fields[name] = result.value;
    else issues.push({ path: name, message: result.issues[0]?.message ?? 'This value cannot be taken.' });
  }
  if (issues.length > 0) throw new BodyRefused(422, 'The form has values that are not taken.', { issues });
  return Object.freeze(fields);
}

function filesOf(files: FileFields, saved: readonly Saved[]): object {
  const found: Record<string, readonly unknown[]> = {};
  for (const [name, { min = 1 }] of Object.entries(files)) {
    const values = saved.filter((each) => each.name === name).map(({ value }) => value);
    if (values.length < min) {
      const issues = [
        { path: name, message: min === 1 ? 'Choose a file.' : `Choose at least ${min} files.` },
      ];
      throw new BodyRefused(422, 'A file is missing.', { issues });
    }
    found[name] = Object.freeze(values);
  }
  return Object.freeze(found);
}

/** Some systems send a path. */
function lastOf(fileName: string): string {
  return fileName.split(/[/\\]/).at(-1)?.slice(0, 255) ?? '';
}
