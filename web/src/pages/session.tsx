import { lazy } from "../parts/lazy";
import { t } from "../strings";

// The emulator is most of the console's size: only who opens a terminal loads it.
const TerminalView = lazy(async () => (await import("../terminal/view")).TerminalView);

/** One session: its terminal, on the whole page. */
export function SessionPage({ name }: { name: string }) {
  return <TerminalView session={name} fallback={<p class="quiet inset">{t.common.loading}</p>} />;
}
