import type { ComponentChildren } from "preact";
import type { Principal } from "../api/types";
import { exit } from "../state/identity";
import { feedState } from "../state/live";
import { useValue } from "../state/observable";
import { links } from "../state/route";
import { choice, nextChoice } from "../state/theme";
import { t } from "../strings";
import { Announcer } from "./announcer";
import { Banner } from "./banner";
import { Half, Leave, Mark, Moon, Sun } from "./icons";

interface Given {
  principal: Principal;
  wide: boolean;
  children: ComponentChildren;
}

export function Layout({ principal, wide, children }: Given) {
  const feed = useValue(feedState);
  return (
    <div class={wide ? "frame frame-wide" : "frame"}>
      <a class="skip" href="#main" onClick={skip}>
        {t.skip}
      </a>
      <Header principal={principal} />
      {feed === "lost" && !wide && <Banner tone="warn">{t.feed.lost}</Banner>}
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <Announcer />
    </div>
  );
}

// The fragment is the route: a skip link must not change it.
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function Header({ principal }: { principal: Principal }) {
  return (
    <header class="top">
      <a class="brand" href={links.agents}>
        <Mark />
        <span>{t.product}</span>
      </a>
      <nav aria-label={t.nav.label}>
        <a href={links.agents}>{t.nav.agents}</a>
        <a href={links.recordings} data-testid="recordings">
          {t.nav.recordings}
        </a>
        <a href={links.targets} data-testid="targets">
          {t.nav.targets}
        </a>
      </nav>
      <span class="grow" />
      <span class="who" title={t.nav.signedInAs(principal.name)}>
        {principal.name}
      </span>
      <ThemeButton />
      <button class="icon-button" data-testid="sign-out" onClick={() => void exit()} title={t.nav.signOut} aria-label={t.nav.signOut}>
        <Leave />
      </button>
    </header>
  );
}

const THEME_ICONS = { system: Half, light: Sun, dark: Moon };

export function ThemeButton() {
  const now = useValue(choice);
  const Shown = THEME_ICONS[now];
  return (
    <button class="icon-button" data-testid="theme" onClick={nextChoice} title={t.theme[now]} aria-label={t.theme[now]}>
      <Shown />
    </button>
  );
}
