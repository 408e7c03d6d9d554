import type { ComponentChildren } from "preact";
import { t } from "../strings";
import { Cross } from "./icons";

interface Given {
  tone: "info" | "warn" | "bad";
  testid?: string;
  onClose?: () => void;
  children: ComponentChildren;
}

/** Something that a person should know now, above what it is about. */
export function Banner({ tone, testid = "banner", onClose, children }: Given) {
  return (
    <div class={`banner banner-${tone}`} role={tone === "bad" ? "alert" : "status"} data-testid={testid}>
      <div class="banner-text">{children}</div>
      {onClose && (
        <button class="icon-button" onClick={onClose} title={t.common.close} aria-label={t.common.close}>
          <Cross />
        </button>
      )}
    </div>
  );
}
