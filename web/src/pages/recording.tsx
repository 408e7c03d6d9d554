import { useState } from "preact/hooks";
import { lazy } from "../parts/lazy";
import { t } from "../strings";

const PlayerView = lazy(async () => (await import("../player/view")).PlayerView);

/** One recording: the player, on the whole page. */
export function RecordingPage({ name }: { name: string }) {
  const [time, setTime] = useState(0);
  const waiting = <p class="quiet inset">{t.common.loading}</p>;
  return <PlayerView key={time} recording={name} again={() => setTime(time + 1)} fallback={waiting} />;
}
