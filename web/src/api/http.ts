import { fromDocument, fromFailure } from "./problem";
import { forgetSecret, secret } from "./secret";

const DEADLINE_MS = 20_000;
const STALLED_MS = 30_000;

/** The API's address: relative to the page, since the console may be mounted below a prefix. */
export function apiUrl(path: string): URL {
  return new URL(`api/v1/${path}`, document.baseURI.replace(/#.*$/, ""));
}

type Listener = () => void;
let onSignedOut: Listener = () => undefined;

/** Called once whenever the server no longer knows us. */
export function whenSignedOut(listener: Listener): void {
  onSignedOut = listener;
}

export function signedOut(): void {
  forgetSecret();
  onSignedOut();
}

function headers(body: unknown, method: string): Headers {
  const result = new Headers({ Accept: "application/json" });
  const value = secret();
  if (value) result.set("X-SAC-Secret", value);
  if (body !== undefined) {
    result.set("Content-Type", method === "PATCH" ? "application/merge-patch+json" : "application/json");
  }
  return result;
}

/** One call of the API; throws `Problem`. Its deadline is 20 seconds. */
export async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(apiUrl(path), {
      method,
      headers: headers(body, method),
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    text = await response.text();
  } catch (failure) {
    throw fromFailure(failure);
  }
  const document = parse(text);
  if (response.ok) return document as T;
  if (response.status === 401 && path !== "signin") signedOut();
  throw fromDocument(response.status, document);
}

/** The bytes of a long answer as they come; throws `Problem`. Ends when nothing comes for 30 seconds, or by `signal`. */
export async function* stream(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const stalled = new AbortController();
  let timer = setTimeout(() => stalled.abort(new DOMException("stalled", "TimeoutError")), DEADLINE_MS);
  try {
    const response = await fetch(apiUrl(path), {
      headers: headers(undefined, "GET"),
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.any([signal, stalled.signal]),
    });
    if (response.status === 401) signedOut();
    if (!response.ok || !response.body) throw fromDocument(response.status, parse(await response.text()));
    const reader = response.body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      clearTimeout(timer);
      yield part.value;
      timer = setTimeout(() => stalled.abort(new DOMException("stalled", "TimeoutError")), STALLED_MS);
    }
  } catch (failure) {
    throw fromFailure(failure);
  } finally {
    clearTimeout(timer);
    stalled.abort();
  }
}

function parse(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
