const START = "\x1b[200~";
const END = "\x1b[201~";
// The end of a bracketed paste, with the escape sequence's 7-bit and 8-bit introducer.
const ENDS = /(?:\x1b\[|\x9b)201~/g;

/**
 * What is sent for a pasted text: line ends become those of the Enter key, and in bracketed mode the text cannot close
 * the bracket itself (removing one end may make another, hence the loop).
 */
export function pasted(text: string, bracketed: boolean): string {
  const lines = text.replace(/\r?\n/g, "\r");
  if (!bracketed) return lines;
  let clean = lines;
  for (let before = ""; before !== clean; ) {
    before = clean;
    clean = clean.replace(ENDS, "");
  }
  return START + clean + END;
}
