/** Bytes that are gathered before they are given to the browser, which keeps them outside the page. */
const GATHERED = 8 * 1024 * 1024;
const KEPT_MS = 60_000;

/** Puts what comes into the browser's downloads, once all of it has come. */
export async function saved(name: string, pieces: AsyncIterable<Uint8Array>, moved: (bytes: number) => void): Promise<void> {
  const whole: Blob[] = [];
  let gathered: BlobPart[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    gathered.push(piece as Uint8Array<ArrayBuffer>);
    bytes += piece.length;
    moved(piece.length);
    if (bytes < GATHERED) continue;
    whole.push(new Blob(gathered));
    gathered = [];
    bytes = 0;
  }
  give(name, new Blob([...whole, ...gathered], { type: "application/octet-stream" }));
}

function give(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS); // the browser may take a while before it reads it
}
