// Length-prefixed fields, written once into one buffer and read back with every bound checked.

/** The bytes end before the field does, or a field says something impossible. */
export class BytesError extends Error {}

export class ByteWriter {
  readonly #parts: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  uint8(value: number): this {
    return this.#push(Buffer.of(value));
  }

  uint32(value: number): this {
    const part = Buffer.allocUnsafe(4);
    part.writeUInt32BE(value);
    return this.#push(part);
  }

  double(value: number): this {
    const part = Buffer.allocUnsafe(8);
    part.writeDoubleBE(value);
    return this.#push(part);
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value, 'utf8'));
  }

  bytes(value: Buffer): this {
    return this.uint32(value.length).#push(value);
  }

  optionalBytes(value: Buffer | undefined): this {
    return value === undefined ? this.uint8(0) : this.uint8(1).bytes(value);
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts, this.#length);
  }

  #push(part: Buffer): this {
    this.#parts.push(part);
    this.#length += part.length;
    return this;
  }
}

export class ByteReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  uint8(): number {
    return this.#take(1).readUInt8();
  }

  uint32(): number {
    return this.#take(4).readUInt32BE();
  }

  double(): number {
    return this.#take(8).readDoubleBE();
  }

  text(): string {
    return this.bytes().toString('utf8');
  }

  /** A view, not a copy: what is read keeps the whole buffer alive. */
  bytes(): Buffer {
    return this.#take(this.uint32());
  }

  optionalBytes(): Buffer | undefined {
    const present = this.uint8();
    if (present > 1) throw new BytesError(`${present} is neither present nor absent`);
    return present === 1 ? this.bytes() : undefined;
  }

  /** `count` things of at least `leastBytes` each: a damaged count must not make us allocate for ever. */
  list<T>(leastBytes: number, read: () => T): T[] {
    const count = this.uint32();
    if (count * leastBytes > this.#bytes.length - this.#at)
      throw new BytesError(`${count} fields do not fit`);
    return Array.from({ length: count }, read);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new BytesError('bytes are left over');
  }

  #take(length: number): Buffer {
    const from = this.#at;
    if (from + length > this.#bytes.length) throw new BytesError('cut short');
    this.#at = from + length;
    return this.#bytes.subarray(from, this.#at);
  }
}
