import type { IBuffer, IBufferLine, Terminal } from "@xterm/xterm";

/** Select the last place on the screen where a text stands; false when it stands nowhere. */
export function highlight(terminal: Terminal, wanted: string): boolean {
  const buffer = terminal.buffer.active;
  for (let row = buffer.length - 1; row >= 0; row -= 1) {
    const line = buffer.getLine(row);
    if (!line || line.isWrapped) continue;
    const { text, columns } = unwrapped(buffer, row);
    const at = text.toLowerCase().lastIndexOf(wanted.toLowerCase());
    if (at < 0) continue;
    const from = columns[at] ?? 0;
    terminal.select(from % terminal.cols, row + Math.floor(from / terminal.cols), (columns[at + wanted.length] ?? from) - from);
    terminal.scrollToLine(Math.max(0, row - Math.floor(terminal.rows / 2)));
    return true;
  }
  return false;
}

/** A line with those that go on with it, and for each letter the cell where it begins, counted from the first line's start. */
function unwrapped(buffer: IBuffer, row: number): { text: string; columns: number[] } {
  let text = "";
  let cells = 0;
  const columns: number[] = [];
  for (let line = buffer.getLine(row); line; line = following(buffer, ++row)) {
    for (let x = 0; x < line.length; x += 1) {
      const cell = line.getCell(x);
      if (!cell || cell.getWidth() === 0) continue;
      const letters = cell.getChars() || " ";
      for (let letter = 0; letter < letters.length; letter += 1) columns.push(cells + x);
      text += letters;
    }
    cells += line.length;
  }
  columns.push(cells);
  return { text, columns };
}

function following(buffer: IBuffer, row: number): IBufferLine | undefined {
  const line = buffer.getLine(row);
  return line?.isWrapped ? line : undefined;
}
