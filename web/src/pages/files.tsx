import { useEffect, useRef, useState } from "preact/hooks";
import type { Agent } from "../api/types";
import { download, upload, type Progress } from "../files/transfer";
import { Field } from "../parts/field";
import { Down, Up } from "../parts/icons";
import { TextInput } from "../parts/inputs";
import { ProblemBanner } from "../parts/problem";
import { sizeText } from "../parts/size";
import { useTransfer, type Transfer } from "../state/transfer";
import { t } from "../strings";

/** Files of an agent: one or a folder into the browser's downloads, chosen ones or a folder to the agent. */
export function AgentFiles({ agent }: { agent: Agent }) {
  const transfer = useTransfer();
  const running = agent.status.phase === "Running";
  const given = { agent: agent.metadata.name, transfer, disabled: !running || transfer.now !== null };
  return (
    <section class="card files" aria-labelledby="files" data-testid="files">
      <h2 id="files">{t.files.title}</h2>
      <ProblemBanner problem={transfer.problem} onClose={transfer.clear} />
      <p class="files-said" role="status" data-testid="files-said">
        {transfer.said || (running ? "" : t.files.notRunning)}
      </p>
      {transfer.now && <Moving progress={transfer.now} onCancel={transfer.cancel} />}
      <div class="files-ways">
        <Download {...given} />
        <Upload {...given} />
      </div>
    </section>
  );
}

function Moving({ progress: { name, done, total }, onCancel }: { progress: Progress; onCancel: () => void }) {
  const far = total === undefined ? sizeText(done) : t.files.far(sizeText(done), sizeText(total));
  return (
    <div class="files-moving" data-testid="files-moving">
      <span class="files-name">{name}</span>
      <progress aria-label={t.files.progress(name)} max={total ?? 1} value={total === undefined ? undefined : done} />
      <span class="number">{done > 0 ? far : t.common.working}</span>
      <button class="button button-small" data-testid="files-cancel" onClick={onCancel}>
        {t.common.cancel}
      </button>
    </div>
  );
}

interface Given {
  agent: string;
  transfer: Transfer;
  disabled: boolean;
}

function Download({ agent, transfer, disabled }: Given) {
  const [path, setPath] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    transfer.start(async (signal, told) => t.files.downloaded(await download(agent, path.trim() || ".", signal, told)));
  };
  return (
    <form onSubmit={submit}>
      <Field id="field-from" label={t.files.from} hint={t.files.fromHint} problem={null}>
        <TextInput id="field-from" value={path} wrong={false} placeholder={t.files.fromPlaceholder} onChange={setPath} />
      </Field>
      <button class="button" type="submit" data-testid="download" disabled={disabled}>
        <Down /> {t.files.download}
      </button>
    </form>
  );
}

function Upload({ agent, transfer, disabled }: Given) {
  const [folder, setFolder] = useState("");
  const files = useRef<HTMLInputElement>(null);
  const whole = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (whole.current) whole.current.webkitdirectory = true;
  }, []);
  const taken = (input: HTMLInputElement): void => {
    const chosen = [...(input.files ?? [])];
    input.value = ""; // the same file may be chosen again
    if (chosen.length === 0) return;
    transfer.start(async (signal, told) => {
      await upload(agent, folder.trim() || ".", chosen, signal, told);
      return t.files.uploaded(chosen.length, folder.trim());
    });
  };
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      <Field id="field-into" label={t.files.into} hint={t.files.intoHint} problem={null}>
        <TextInput id="field-into" value={folder} wrong={false} placeholder={t.files.intoPlaceholder} onChange={setFolder} />
      </Field>
      <button class="button" type="button" data-testid="upload-files" disabled={disabled} onClick={() => files.current?.click()}>
        <Up /> {t.files.upload}
      </button>{" "}
      <button class="button" type="button" data-testid="upload-folder" disabled={disabled} onClick={() => whole.current?.click()}>
        <Up /> {t.files.uploadFolder}
      </button>
      <input ref={files} type="file" multiple hidden aria-label={t.files.upload} onChange={(event) => taken(event.currentTarget)} />
      <input ref={whole} type="file" hidden aria-label={t.files.uploadFolder} onChange={(event) => taken(event.currentTarget)} />
    </form>
  );
}
