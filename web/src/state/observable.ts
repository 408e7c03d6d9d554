import { useEffect, useState } from "preact/hooks";

/** A value that tells its readers when it changes. */
export class Observable<T> {
  private readonly listeners = new Set<(value: T) => void>();

  constructor(private current: T) {}

  get value(): T {
    return this.current;
  }

  set(value: T): void {
    if (Object.is(value, this.current)) return;
    this.current = value;
    for (const listener of [...this.listeners]) listener(value);
  }

  subscribe(listener: (value: T) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** The value, for a component: drawn again when it changes. */
export function useValue<T>(observable: Observable<T>): T {
  const [value, setValue] = useState<{ now: T }>({ now: observable.value });
  useEffect(() => {
    setValue({ now: observable.value });
    return observable.subscribe((now) => setValue({ now }));
  }, [observable]);
  return value.now;
}
