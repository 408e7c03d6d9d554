import type { Exit } from "../api/types";
import { t } from "../strings";

/** How a program ended, in words. */
export function exitText(exit: Exit): string {
  if (exit.signal) return t.terminal.exitSignal(exit.signal);
  if (typeof exit.code === "number") return t.terminal.exitCode(exit.code);
  return exit.reason ? t.terminal.exitReason(exit.reason) : t.terminal.exitUnknown;
}
