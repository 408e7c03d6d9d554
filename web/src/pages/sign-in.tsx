import { ThemeButton } from "../parts/layout";
import { Mark } from "../parts/icons";
import { ask, type Identity } from "../state/identity";
import { t } from "../strings";

/** Says how to get in: there is no password, only a link that works once. */
export function SignInPage({ identity }: { identity: Identity }) {
  return (
    <main class="sign-in" data-testid="sign-in">
      <div class="sign-in-theme">
        <ThemeButton />
      </div>
      <div class="card sign-in-card">
        <Mark />
        <h1>{t.signIn.title}</h1>
        {identity.state === "out" ? <HowTo identity={identity} /> : <p aria-live="polite">{t.signIn.busy}</p>}
      </div>
    </main>
  );
}

function HowTo({ identity }: { identity: Extract<Identity, { state: "out" }> }) {
  return (
    <>
      <Why identity={identity} />
      <p>{t.signIn.lead}</p>
      <pre class="command">
        <code>{t.signIn.command}</code>
      </pre>
      <p class="quiet">{t.signIn.orRun}</p>
    </>
  );
}

function Why({ identity: { problem, left } }: { identity: Extract<Identity, { state: "out" }> }) {
  if (left) return <p role="status">{t.signIn.signedOut}</p>;
  if (!problem) return null;
  if (problem.unreachable) {
    return (
      <div class="callout callout-bad" role="alert">
        <p>{problem.message}</p>
        <button class="button" onClick={() => void ask()}>
          {t.common.retry}
        </button>
      </div>
    );
  }
  const spent = problem.status === 401 || problem.status === 410;
  return (
    <div class="callout callout-bad" role="alert" data-testid="sign-in-problem">
      <p>{spent ? t.signIn.spent : t.signIn.failed}</p>
      {!spent && <p>{problem.message}</p>}
    </div>
  );
}
