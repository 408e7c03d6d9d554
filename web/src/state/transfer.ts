import { useEffect, useRef, useState } from "preact/hooks";
import { fromFailure, type Problem } from "../api/problem";
import type { Progress, Told } from "../files/transfer";
import { t } from "../strings";

/** Drawing how far it is takes time as well. */
const SHOWN_EVERY_MS = 100;

/** One file or folder on its way, and what came of the last one. */
export interface Transfer {
  now: Progress | null;
  problem: Problem | null;
  said: string;
  /** `work` returns what is said when it is done. One at a time. */
  start(work: (signal: AbortSignal, told: Told) => Promise<string>): void;
  cancel(): void;
  clear(): void;
}

const NOTHING = { now: null, problem: null, said: "" };

/** Ends with the page that shows it. */
export function useTransfer(): Transfer {
  const [state, setState] = useState<Pick<Transfer, "now" | "problem" | "said">>(NOTHING);
  const going = useRef<AbortController | null>(null);
  useEffect(() => () => going.current?.abort(), []);
  const start: Transfer["start"] = (work) => {
    if (going.current) return;
    const abort = (going.current = new AbortController());
    const show = (now: Progress): void => {
      if (going.current === abort) setState({ ...NOTHING, now });
    };
    show({ name: "", done: 0 });
    work(abort.signal, seldom(show))
      .then((said) => ({ ...NOTHING, said }))
      .catch((failure: unknown) => (abort.signal.aborted ? { ...NOTHING, said: t.files.cancelled } : { ...NOTHING, problem: fromFailure(failure) }))
      .then((outcome) => {
        going.current = null;
        setState(outcome);
      });
  };
  return { ...state, start, cancel: () => going.current?.abort(), clear: () => setState(NOTHING) };
}

/** What was told last is shown in any case, a moment later. */
function seldom(show: Told): Told {
  let latest: Progress | null = null;
  const flush = (): void => {
    if (latest) show(latest);
    latest = null;
  };
  return (progress) => {
    if (latest === null) setTimeout(flush, SHOWN_EVERY_MS);
    latest = { ...progress };
  };
}
