import { again } from "./again";
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
export function request<T>(method: string, path: string, body?: unknown, patience = DEADLINE_MS): Promise<T> {
  return answered(method, path, body, patience);
}

/** Makes a thing, once: its key tells the server that what is asked again is the same wish. Throws `Problem`. */
export function create<T>(path: string, body: unknown): Promise<T> {
  const key = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return answered("POST", path, body, DEADLINE_MS, key);
}

async function answered<T>(method: string, path: string, body: unknown, patience: number, key?: string): Promise<T> {
  const signal = AbortSignal.timeout(patience);
  const sent = headers(body, method);
  if (key !== undefined) sent.set("Idempotency-Key", key);
  const ask = async (): Promise<Answer> => {
    const response = await fetch(apiUrl(path), {
      method,
      headers: sent,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal,
    });
    return { ok: response.ok, status: response.status, text: await response.text() };
  };
  const { ok, status, text } = await (method === "GET" || key !== undefined ? again(ask) : ask()).catch((failure: unknown) => {
    throw fromFailure(failure);
  });
  const document = parse(text);
  if (ok) return document as T;
  if (status === 401 && path !== "signin") signedOut();
  throw fromDocument(status, document);
}

interface Answer {
  ok: boolean;
  status: number;
  text: string;
}

/** JSON, or nothing for what is none. */
export function parse(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
