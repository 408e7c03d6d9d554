import { fromDocument, fromFailure } from "./problem";
import { forgetSecret, secret } from "./secret";

const DEADLINE_MS = 20_000;

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

/** What every call carries. */
export function headers(body: unknown, method: string): Headers {
  const result = new Headers({ Accept: "application/json" });
  const value = secret();
  if (value) result.set("X-SAC-Secret", value);
  if (body !== undefined) {
    result.set("Content-Type", method === "PATCH" ? "application/merge-patch+json" : "application/json");
  }
  return result;
}

/** One call of the API; throws `Problem`, also when there is no answer within `patience` ms. */
export async function request<T>(method: string, path: string, body?: unknown, patience = DEADLINE_MS): Promise<T> {
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
      signal: AbortSignal.timeout(patience),
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

/** JSON, or nothing for what is none. */
export function parse(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
