import type { ByteReader, ByteWriter } from './bytes.ts';
import type { Cached, FragmentEntry, Header, PageEntry } from './entry.ts';

/** How one kind of entry lies in an envelope, beyond what all kinds have in common. */
export interface Codec<V extends Cached> {
  /** Never reused for another layout. */
  readonly kind: number;
  write(value: V, into: ByteWriter): void;
  read(common: Cached, from: ByteReader): V;
}

export const pageCodec: Codec<PageEntry> = {
  kind: 1,
  write(page, into) {
    into.uint32(page.status).text(page.tag).uint32(page.headers.length);
    for (const [name, value] of page.headers) into.text(name).text(value);
    into.bytes(page.identity).optionalBytes(page.gzip).optionalBytes(page.brotli);
  },
  read(common, from) {
    return {
      ...common,
      status: from.uint32(),
      tag: from.text(),
      headers: from.list(8, (): Header => [from.text(), from.text()]),
      identity: from.bytes(),
      gzip: from.optionalBytes(),
      brotli: from.optionalBytes(),
    };
  },
};

export const fragmentCodec: Codec<FragmentEntry> = {
  // 2 had no scripts.
  kind: 3,
  write({ html, scripts = [] }, into) {
    into.text(html).uint32(scripts.length);
    for (const script of scripts) into.text(script);
  },
  read(common, from) {
    const html = from.text();
    const scripts = from.list(4, () => from.text());
    return { ...common, html, ...(scripts.length > 0 && { scripts }) };
  },
};
