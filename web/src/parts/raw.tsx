import { t } from "../strings";

/** A thing as the API gives it, for who wants to see all of it. */
export function Raw({ thing }: { thing: object }) {
  return (
    <details class="card raw">
      <summary>{t.common.raw}</summary>
      <pre>
        <code>{JSON.stringify(thing, null, 2)}</code>
      </pre>
    </details>
  );
}
