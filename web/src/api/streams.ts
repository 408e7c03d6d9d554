import { t } from "../strings";
import { apiUrl, headers, parse, signedOut } from "./http";
import { fromDocument, fromFailure, Problem } from "./problem";

const STALLED_MS = 30_000;

/** The bytes of a long answer as they come; throws `Problem`, also when nothing comes for `patience` ms. `signal` ends it. */
export async function* stream(path: string, signal: AbortSignal, patience = STALLED_MS): AsyncGenerator<Uint8Array> {
  const stalled = new AbortController();
  const watch = (): ReturnType<typeof setTimeout> =>
    setTimeout(() => stalled.abort(new DOMException("stalled", "TimeoutError")), patience);
  let timer = watch();
  let began = false;
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
    began = true;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      clearTimeout(timer);
      yield part.value;
      timer = watch();
    }
  } catch (failure) {
    throw began && failure instanceof TypeError ? new Problem(0, t.problem.brokeOff, "Unreachable") : fromFailure(failure);
  } finally {
    clearTimeout(timer);
    stalled.abort();
  }
}

interface Sending {
  signal: AbortSignal;
  /** Milliseconds in which something must move. */
  patience: number;
  /** Told how many bytes have been sent. */
  moved: (bytes: number) => void;
}

/** Sends what may be large; throws `Problem`. By XMLHttpRequest, which alone tells how far it is. */
export function send(path: string, body: Blob, { signal, patience, moved }: Sending): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const watch = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => fail(new Problem(0, t.problem.timeout, "Unreachable")), patience);
    };
    const fail = (problem: Problem): void => {
      reject(problem);
      call.abort();
    };
    const stop = (): void => fail(new Problem(0, t.problem.unreachable, "Cancelled"));
    call.open("PUT", apiUrl(path));
    headers(undefined, "PUT").forEach((value, name) => call.setRequestHeader(name, value));
    call.upload.onprogress = ({ loaded }) => {
      watch();
      moved(loaded);
    };
    call.onerror = () => reject(new Problem(0, t.problem.brokeOff, "Unreachable"));
    call.onload = () => {
      if (call.status === 401) signedOut();
      if (call.status < 300) resolve();
      else reject(fromDocument(call.status, parse(call.responseText)));
    };
    call.onloadend = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    };
    signal.addEventListener("abort", stop);
    watch();
    call.send(body);
  });
}
