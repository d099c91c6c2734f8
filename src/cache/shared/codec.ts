import type { Bytes } from '../../core/units.ts';
import type { Cached, EntryHole, FragmentEntry, Header, PageEntry } from '../entry.ts';
import { type ByteReader, BytesError, type ByteWriter } from './bytes.ts';

/** How one kind of entry lies in an envelope, beyond what all kinds have in common. */
export interface Codec<V extends Cached> {
  /** Never reused for another layout. */
  readonly kind: number;
  write(value: V, into: ByteWriter): void;
  read(common: Cached, from: ByteReader): V;
}

export const pageCodec: Codec<PageEntry> = {
  // 1 had no holes and no assets.
  kind: 4,
  write(page, into) {
    const { holes = [], assets = [] } = page;
    into.uint32(page.status).text(page.tag).uint32(page.headers.length);
    for (const [name, value] of page.headers) into.text(name).text(value);
    into.bytes(page.identity).optionalBytes(page.gzip).optionalBytes(page.brotli);
    into.uint32(holes.length);
    for (const { name, from, to, props } of holes) into.text(name).uint32(from).uint32(to).text(props);
    writeTexts(assets, into);
  },
  read(common, from) {
    const page = {
      ...common,
      status: from.uint32(),
      tag: from.text(),
      headers: from.list(8, (): Header => [from.text(), from.text()]),
      identity: from.bytes(),
      gzip: from.optionalBytes(),
      brotli: from.optionalBytes(),
    };
    const holes = from.list(16, (): EntryHole => readHole(from));
    const assets = readTexts(from);
    assertInOrder(holes, page.identity.length);
    return { ...page, ...(holes.length > 0 && { holes }), ...(assets.length > 0 && { assets }) };
  },
};

export const fragmentCodec: Codec<FragmentEntry> = {
  // 2 had no scripts, 3 no assets.
  kind: 5,
  write({ html, scripts = [], assets = [] }, into) {
    into.text(html);
    writeTexts(scripts, into);
    writeTexts(assets, into);
  },
  read(common, from) {
    const html = from.text();
    const scripts = readTexts(from);
    const assets = readTexts(from);
    return { ...common, html, ...(scripts.length > 0 && { scripts }), ...(assets.length > 0 && { assets }) };
  },
};

function readHole(from: ByteReader): EntryHole {
  return { name: from.text(), from: from.uint32(), to: from.uint32(), props: from.text() };
}

/** Bytes of a visitor are put where holes say: one that lies elsewhere would cut through the page. */
function assertInOrder(holes: readonly EntryHole[], bodyBytes: Bytes): void {
  let end = 0;
  for (const { name, from, to } of holes) {
    if (from < end || to < from || to > bodyBytes)
      throw new BytesError(`the hole '${name}' is not in the body`);
    end = to;
  }
}

function writeTexts(texts: readonly string[], into: ByteWriter): void {
  into.uint32(texts.length);
  for (const text of texts) into.text(text);
}

function readTexts(from: ByteReader): string[] {
  return from.list(4, () => from.text());
}
