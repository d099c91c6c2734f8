// Inputs that several pages take. What a schema refuses never reaches a page.
import { z } from 'zod';

/** A row's id: what Postgres calls an integer. */
export const id = z.coerce.number().int().positive().max(2_147_483_647);

/** Where a list goes on; null at its beginning. */
export const after = z.string().min(1).max(200).nullable().default(null);

/** What somebody typed into a search box: spaces and case make no second entry in the cache. */
export const words = z
  .string()
  .default('')
  .transform((typed) =>
    typed
      .normalize('NFC')
      .replace(/[\p{C}\s]+/gu, ' ')
      .trim()
      .toLowerCase()
      .slice(0, 80),
  );
