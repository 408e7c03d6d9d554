import type { Player } from "./player";

const STEP = 5;
const LONG_STEP = 30;

/** What a key does in the player; false when it is none of ours. Inputs and buttons keep the keys that they use. */
export function playerKey(event: KeyboardEvent, player: Player, search: () => void): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return event.ctrlKey && event.key === "f" && done(search());
  const tag = event.target instanceof HTMLElement ? event.target.tagName : "";
  const kind = event.target instanceof HTMLInputElement ? event.target.type : "";
  if (kind === "search" || tag === "SELECT") return false;
  if (event.key === " " && (tag === "BUTTON" || tag === "A" || kind === "checkbox")) return false;
  const act = actions(player, search)[event.key];
  return act ? done(act(event.shiftKey ? LONG_STEP : STEP)) : false;
}

function done(_: unknown): true {
  return true;
}

function actions(player: Player, search: () => void): Record<string, (step: number) => unknown> {
  const { playback } = player;
  const { time, duration } = playback.state.value;
  return {
    " ": () => playback.toggle(),
    ArrowLeft: (step) => playback.seek(time - step),
    ArrowRight: (step) => playback.seek(time + step),
    Home: () => playback.seek(0),
    End: () => playback.seek(duration),
    "<": () => playback.shift(-1),
    ">": () => playback.shift(1),
    "/": search,
    n: () => player.jump(1),
    N: () => player.jump(-1),
  };
}
