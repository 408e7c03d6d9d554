import { Observable } from "../state/observable";

const SIZE_KEY = "sac.terminal.font-size";
const READER_KEY = "sac.terminal.screen-reader";
const SMALLEST = 9;
const LARGEST = 28;

function bounded(size: number): number {
  return Number.isFinite(size) && size > 0 ? Math.max(SMALLEST, Math.min(LARGEST, size)) : 14;
}

/** The terminal's text size in pixels. */
export const fontSize = new Observable(bounded(Number(localStorage.getItem(SIZE_KEY))));

/** Whether the terminal keeps a text copy of the screen for screen readers; it costs speed. */
export const readerMode = new Observable(localStorage.getItem(READER_KEY) === "on");

export function changeFontSize(by: number): void {
  fontSize.set(bounded(fontSize.value + by));
  localStorage.setItem(SIZE_KEY, String(fontSize.value));
}

export function toggleReaderMode(): void {
  readerMode.set(!readerMode.value);
  localStorage.setItem(READER_KEY, readerMode.value ? "on" : "off");
}
