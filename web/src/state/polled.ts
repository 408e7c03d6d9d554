import { useEffect, useRef, useState } from "preact/hooks";
import { fromFailure, type Problem } from "../api/problem";

/** What the server is asked for from time to time. */
export interface Polled<T> {
  /** Null until it was read once; stays when it cannot be read again. */
  value: T | null;
  problem: Problem | null;
  reload(): void;
}

/** Milliseconds until it is read again; null: not by itself. */
export type Pause<T> = (value: T | null) => number | null;

/** Reads now, whenever `told` changes, and again a pause after each answer; nothing while the page is hidden. */
export function usePolled<T>(read: () => Promise<T>, told: string, pause: Pause<T>): Polled<T> {
  const [found, setFound] = useState<Omit<Polled<T>, "reload">>({ value: null, problem: null });
  const [wish, setWish] = useState(0);
  const known = useRef<T | null>(null);
  useEffect(() => {
    let gone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const keep = (value: T | null, problem: Problem | null): void => {
      known.current = value;
      setFound({ value, problem });
    };
    const look = async (): Promise<void> => {
      try {
        const value = document.hidden ? null : await read();
        if (value !== null && !gone) keep(value, null);
      } catch (failure) {
        if (!gone) keep(known.current, fromFailure(failure));
      }
      const wait = pause(known.current);
      if (!gone && wait !== null) timer = setTimeout(() => void look(), wait);
    };
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [told, wish]);
  return { ...found, reload: () => setWish((before) => before + 1) };
}
