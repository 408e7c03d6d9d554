import { clockText } from "../parts/clock";
import { Pause, Play } from "../parts/icons";
import { useValue } from "../state/observable";
import { t } from "../strings";
import { SPEEDS, type Playback } from "./playback";
import type { Player } from "./player";

/** Play and pause, where we are, how quick. */
export function Controls({ player }: { player: Player }) {
  const { playback } = player;
  const state = useValue(playback.state);
  const label = state.playing ? t.player.pause : t.player.play;
  return (
    <>
      <button class="icon-button play" data-testid="player-play" data-playing={state.playing} onClick={() => playback.toggle()} title={label} aria-label={label}>
        {state.playing ? <Pause /> : <Play />}
      </button>
      <span class="clock" data-testid="player-time">
        {t.player.position(clockText(state.time), clockText(state.duration))}
      </span>
      <SeekBar player={player} />
      <Speed playback={playback} speed={state.speed} />
      <label class="skip-pauses">
        <input type="checkbox" data-testid="player-skip" checked={state.skip} onChange={(event) => playback.setSkip(event.currentTarget.checked)} />
        {t.player.skip}
      </label>
    </>
  );
}

function SeekBar({ player }: { player: Player }) {
  const { time, duration } = useValue(player.playback.state);
  const { gaps } = useValue(player.read);
  const { hits, at } = useValue(player.search);
  return (
    <span class="seek">
      <input
        type="range"
        data-testid="player-seek"
        min={0}
        max={duration}
        step="any"
        value={time}
        aria-label={t.player.seek}
        aria-valuetext={t.player.position(clockText(time), clockText(duration))}
        onInput={(event) => void player.playback.seek(Number(event.currentTarget.value))}
      />
      <span class="marks" aria-hidden="true">
        {gaps.map((gap) => (
          <Mark key={`gap ${gap}`} at={gap} of={duration} kind="gap" />
        ))}
        {spread(hits, duration).map((hit) => (
          <Mark key={`hit ${hit}`} at={hit} of={duration} kind="hit" />
        ))}
        {at !== null && <Mark at={hits[at] ?? 0} of={duration} kind="here" />}
      </span>
    </span>
  );
}

const MOST_MARKS = 300;

// More marks than that are no longer told apart on any screen.
function spread(hits: readonly number[], duration: number): number[] {
  const places = new Map(hits.map((hit) => [Math.round((hit / (duration || 1)) * MOST_MARKS), hit]));
  return [...places.values()];
}

function Mark({ at, of, kind }: { at: number; of: number; kind: "gap" | "hit" | "here" }) {
  return <span class={`mark-${kind}`} style={{ left: `${of > 0 ? (at / of) * 100 : 0}%` }} />;
}

function Speed({ playback, speed }: { playback: Playback; speed: number }) {
  return (
    <select class="speed" data-testid="player-speed" aria-label={t.player.speed} title={t.player.speed} value={speed} onChange={(event) => playback.setSpeed(Number(event.currentTarget.value))}>
      {SPEEDS.map((each) => (
        <option key={each} value={each}>
          {t.player.times(each)}
        </option>
      ))}
    </select>
  );
}
