/** The part of tar that a browser needs: an archive of chosen files, and the one file of an archive. GNU's form. */

const BLOCK = 512;
const NAME = 100;
/** Bytes that may describe an entry before it comes: a long name, a size. */
const MOST_DESCRIPTION = 1024 * 1024;
const OCTAL = 8 ** 11;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A file that was chosen, with the name that it gets in the archive. */
export interface Packed {
  name: string;
  content: Blob;
  /** Milliseconds since 1970. */
  modified: number;
}

/** An archive of files. What they hold is not read before the archive is. */
export function archiveOf(files: readonly Packed[]): Blob {
  const parts = files.flatMap(({ name, content, modified }) => [
    ...headersOf(encoder.encode(name), content.size, Math.floor(modified / 1000)),
    content,
    new Uint8Array(padding(content.size)),
  ]);
  return new Blob([...parts, new Uint8Array(2 * BLOCK)]);
}

function headersOf(name: Uint8Array, size: number, seconds: number): Uint8Array<ArrayBuffer>[] {
  const own = header(name.subarray(0, NAME), size, "0", seconds);
  if (name.length <= NAME) return [own];
  const long = new Uint8Array(name.length + 1 + padding(name.length + 1));
  long.set(name);
  return [header(encoder.encode("././@LongLink"), name.length + 1, "L", 0), long, own];
}

function header(name: Uint8Array, size: number, type: string, seconds: number): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK);
  const put = (offset: number, text: string): void => block.set(encoder.encode(text), offset);
  block.set(name);
  put(100, "0000644\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  block.set(sizeField(size), 124);
  put(136, `${Math.max(0, seconds).toString(8).padStart(11, "0")}\0`);
  put(156, type);
  put(257, "ustar  \0");
  put(148, `${checksum(block).toString(8).padStart(6, "0")}\0 `);
  return block;
}

function sizeField(size: number): Uint8Array {
  if (size < OCTAL) return encoder.encode(`${size.toString(8).padStart(11, "0")}\0`);
  const field = new Uint8Array(12); // of 8 GiB and more: a binary number
  new DataView(field.buffer).setBigUint64(4, BigInt(size));
  field[0] = 0x80;
  return field;
}

/** The sum of a header's bytes, with spaces for the sum itself. */
function checksum(block: Uint8Array): number {
  return block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** It is no archive of one file, or not a whole one. */
export class DamagedArchive extends Error {}

/** What is in the one file of an archive, as it comes; `sized` is told how much that will be. Reads the archive to its end. */
export async function* fileOf(pieces: AsyncGenerator<Uint8Array>, sized: (size: number) => void): AsyncGenerator<Uint8Array> {
  const source = new Source(pieces);
  const size = await findFile(source);
  sized(size);
  for (let left = size; left > 0; ) {
    const piece = await source.some(left);
    left -= piece.length;
    yield piece;
  }
  await source.drain();
}

/** Goes to where the file begins; its size. */
async function findFile(source: Source): Promise<number> {
  for (let told: number | undefined; ; ) {
    const block = await source.exactly(BLOCK);
    if (checksum(block) !== Number.parseInt(text(block, 148, 8).trim(), 8)) throw new DamagedArchive();
    const size = sizeOf(block);
    const type = text(block, 156, 1);
    if (type === "0" || type === "7" || type === "") return told ?? size;
    if (!"LKxg".includes(type) || size > MOST_DESCRIPTION) throw new DamagedArchive();
    const description = await source.exactly(size + padding(size));
    if (type === "x") told = paxSize(description.subarray(0, size)) ?? told;
  }
}

function sizeOf(block: Uint8Array): number {
  const field = block.subarray(124, 136);
  const binary = ((field[0] ?? 0) & 0x80) !== 0;
  const size = binary ? Number(new DataView(field.buffer, field.byteOffset).getBigUint64(4)) : Number.parseInt(text(block, 124, 12).trim(), 8);
  if (!Number.isSafeInteger(size) || size < 0) throw new DamagedArchive();
  return size;
}

/** The size that an extended header gives: its records are `LENGTH KEY=VALUE` lines. */
function paxSize(records: Uint8Array): number | undefined {
  const found = /(?:^|\n)\d+ size=(\d{1,15})\n/.exec(decoder.decode(records));
  return found ? Number(found[1]) : undefined;
}

function text(block: Uint8Array, offset: number, length: number): string {
  return decoder.decode(block.subarray(offset, offset + length)).split("\0")[0] ?? "";
}

/** A stream of bytes, in parts of the size that is wanted. */
class Source {
  private rest: Uint8Array = new Uint8Array(0);

  constructor(private readonly pieces: AsyncGenerator<Uint8Array>) {}

  /** At least one byte and at most so many. */
  async some(most: number): Promise<Uint8Array> {
    while (this.rest.length === 0) {
      const next = await this.pieces.next();
      if (next.done) throw new DamagedArchive();
      this.rest = next.value;
    }
    const part = this.rest.subarray(0, most);
    this.rest = this.rest.subarray(part.length);
    return part;
  }

  async exactly(size: number): Promise<Uint8Array> {
    const whole = new Uint8Array(size);
    for (let filled = 0; filled < size; ) {
      const part = await this.some(size - filled);
      whole.set(part, filled);
      filled += part.length;
    }
    return whole;
  }

  /** Whether all has come is known at the end alone. */
  async drain(): Promise<void> {
    while (!(await this.pieces.next()).done);
  }
}
