import { useEffect } from "preact/hooks";
import { t } from "../strings";

/** The browser tab's title. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · ${t.product}`;
  }, [title]);
}
