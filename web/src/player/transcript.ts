/** A place in a recording: the time in seconds when the text that was looked for was whole. */
export type Hit = number;

export const MOST_HITS = 1000;

// Sequences that move the cursor part words, others are nothing.
const SEQUENCE =
  /\x1b(?:\[[0-?]*[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-OQ-WYZ\\`-~])/g;
const UNFINISHED = /\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?|[PX^_][^\x1b]*\x1b?|[ -/]*)?$/;
const LONGEST = 4096;
const TO_ANOTHER_LINE = "ABEFHdf";
const TO_ANOTHER_COLUMN = "CDG`";

/** What a program printed as text, and when each part of it was there. */
export class Transcript {
  private lines = "";
  private line = "";
  private rest = "";
  private readonly starts: number[] = [];
  private readonly times: number[] = [];

  /** Takes output of the time `at`, in order. */
  add(at: number, output: string): void {
    const data = this.rest + output;
    const part = UNFINISHED.exec(data.slice(-LONGEST));
    this.rest = part ? part[0] : "";
    const plain = data.slice(0, data.length - this.rest.length).replace(SEQUENCE, parting).replace(/\r\n?/g, "\n");
    this.note(at);
    this.append(plain);
  }

  /** Where a text is found, in order; case does not matter. */
  find(wanted: string): Hit[] {
    const hits: Hit[] = [];
    if (wanted === "") return hits;
    const pattern = new RegExp(wanted.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "giu");
    for (const found of (this.lines + this.line).matchAll(pattern)) {
      hits.push(this.timeOf(found.index + found[0].length - 1));
      if (hits.length === MOST_HITS) break;
    }
    return hits;
  }

  private note(at: number): void {
    const end = this.lines.length + this.line.length;
    while ((this.starts.at(-1) ?? -1) >= end) {
      this.starts.pop();
      this.times.pop();
    }
    this.starts.push(end);
    this.times.push(at);
  }

  // A backspace takes back a letter, as line editors do when something is erased.
  private append(plain: string): void {
    for (const part of plain.split(/(\x08)/)) {
      if (part === "\x08") this.line = this.line.slice(0, -1);
      else this.line += part.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, "");
      const end = this.line.lastIndexOf("\n") + 1;
      this.lines += this.line.slice(0, end);
      this.line = this.line.slice(end);
    }
  }

  private timeOf(index: number): number {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.starts[middle] ?? 0) <= index) low = middle;
      else high = middle - 1;
    }
    return this.times[low] ?? 0;
  }
}

function parting(_: string, final: string | undefined): string {
  if (final === undefined) return "";
  if (TO_ANOTHER_LINE.includes(final)) return "\n";
  return TO_ANOTHER_COLUMN.includes(final) ? " " : "";
}
