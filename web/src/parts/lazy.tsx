import type { ComponentChildren, ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { again } from "../api/again";
import { Problem } from "../api/problem";
import { t } from "../strings";
import { ProblemBanner } from "./problem";

/** A component that is loaded when it is first shown. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>) {
  let loaded: ComponentType<P> | null = null;
  return function Lazy({ fallback, ...given }: P & { fallback: ComponentChildren }) {
    const [state, setState] = useState<"loading" | "ready" | "failed">(loaded ? "ready" : "loading");
    useEffect(() => {
      if (loaded) return;
      again(load).then(
        (component) => {
          loaded = component;
          setState("ready");
        },
        () => setState("failed"),
      );
    }, []);
    if (state === "failed") return <Failed />;
    const Shown = loaded;
    return Shown && state === "ready" ? <Shown {...(given as unknown as P)} /> : <>{fallback}</>;
  };
}

function Failed() {
  return (
    <div class="inset">
      <ProblemBanner problem={new Problem(0, t.problem.unreachable)} />
      <button class="button" data-testid="load-again" onClick={() => location.reload()}>
        {t.problem.again}
      </button>
    </div>
  );
}
