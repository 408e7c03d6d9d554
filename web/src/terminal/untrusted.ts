/** What a program in a body asks of the browser: hostile until cleaned here. */

const TITLE_LENGTH = 80;
const CLIPBOARD_LENGTH = 100_000;

/** A window title: no control or direction characters, one line, capped. */
export function cleanTitle(title: string): string {
  const visible = title
    .slice(0, 1000)
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "")
    .trim();
  const letters = [...visible];
  return letters.length > TITLE_LENGTH ? `${letters.slice(0, TITLE_LENGTH - 1).join("")}…` : visible;
}

/** A link that may be opened: http and https only. */
export function safeLink(text: string): string | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
}

/** The text of an OSC 52 request to write the clipboard; null for a request to read it, or one out of bounds. */
export function clipboardText(payload: string): string | null {
  const data = payload.slice(payload.indexOf(";") + 1);
  if (data === "" || data === "?" || data.length > CLIPBOARD_LENGTH) return null;
  try {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
