import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Before, Behind } from "../parts/icons";
import { useValue } from "../state/observable";
import { t } from "../strings";
import type { Player } from "./player";
import { MOST_HITS } from "./transcript";

const TYPING_MS = 150;

/** Text that was printed: how often it is there, and jumps to it. */
export function SearchBox({ player, input }: { player: Player; input: RefObject<HTMLInputElement | null> }) {
  const [wanted, setWanted] = useState("");
  const { hits } = useValue(player.search);
  useEffect(() => {
    const timer = setTimeout(() => player.look(wanted), TYPING_MS);
    return () => clearTimeout(timer);
  }, [player, wanted]);
  const jump = (by: 1 | -1): void => {
    if (player.search.value.wanted !== wanted) player.look(wanted);
    void player.jump(by);
  };
  const typed = (event: KeyboardEvent): void => {
    if (event.key === "Enter") jump(event.shiftKey ? -1 : 1);
    if (event.key === "Escape" && wanted === "") input.current?.closest<HTMLElement>(".player")?.focus();
  };
  return (
    <span class="search" role="search">
      <input ref={input} type="search" class="filter" data-testid="player-search" placeholder={t.player.search} aria-label={t.player.search} value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} onKeyDown={typed} />
      <Count player={player} />
      <button class="icon-button" disabled={hits.length === 0} onClick={() => jump(-1)} title={t.player.before} aria-label={t.player.before}>
        <Before />
      </button>
      <button class="icon-button" data-testid="player-next-hit" disabled={hits.length === 0} onClick={() => jump(1)} title={t.player.behind} aria-label={t.player.behind}>
        <Behind />
      </button>
    </span>
  );
}

function Count({ player }: { player: Player }) {
  const { wanted, hits, at } = useValue(player.search);
  return (
    <span class="hits" role="status" data-testid="player-hits">
      {wanted === "" ? "" : countText(hits.length, at)}
    </span>
  );
}

function countText(all: number, at: number | null): string {
  if (all === 0) return t.player.noHits;
  const many = all === MOST_HITS ? t.player.manyHits(all) : String(all);
  return at === null ? t.player.found(many) : t.player.hits(at + 1, many);
}
