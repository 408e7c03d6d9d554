import { fromDocument, Problem } from "./problem";

/** An archive that broke off has at its end why: a problem document behind a mark (`sac_core.wire.files`). */
const MARK = new TextEncoder().encode("\nSAC-Problem: ");
const LONGEST = 4096;

/** The bytes of an archive; one that broke off throws the `Problem` that it tells of, if it tells of one. */
export async function* uncut(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array = new Uint8Array(0);
  try {
    for await (const piece of pieces) {
      const known = joined(held, piece);
      const sure = Math.max(0, known.length - LONGEST);
      held = known.subarray(sure);
      if (sure > 0) yield known.subarray(0, sure);
    }
  } catch (failure) {
    throw told(held) ?? failure;
  }
  yield held;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

function told(tail: Uint8Array): Problem | null {
  for (let at = tail.length - MARK.length; at >= 0; at -= 1) {
    if (!MARK.every((byte, index) => tail[at + index] === byte)) continue;
    return problemIn(tail.subarray(at + MARK.length));
  }
  return null;
}

function problemIn(bytes: Uint8Array): Problem | null {
  try {
    const document: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return fromDocument(Number((document as { status?: unknown }).status) || 500, document);
  } catch {
    return null;
  }
}
