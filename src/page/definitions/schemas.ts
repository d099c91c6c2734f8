import type { StandardSchemaV1 } from '@standard-schema/spec';

/** One Standard Schema (zod, valibot, arktype ...) per parameter. */
export type Shape = Readonly<Record<string, StandardSchemaV1>>;

export type Parsed<S extends Shape> = { readonly [K in keyof S]: StandardSchemaV1.InferOutput<S[K]> };
