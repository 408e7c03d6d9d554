import { useState } from "preact/hooks";
import { Banner } from "../parts/banner";
import { sizeText } from "../parts/size";
import { t } from "../strings";
import { copyText } from "./screen";
import type { Notice } from "./viewer";

function noticeText(notice: Notice): string {
  switch (notice.kind) {
    case "gap":
      return t.terminal.gap(sizeText(notice.bytes));
    case "earlier":
      return t.terminal.earlier(sizeText(notice.bytes));
    case "unconfirmed":
      return t.terminal.unconfirmed(notice.bytes);
    case "not-sent":
      return t.terminal.notSent;
    case "failure":
      return notice.message;
  }
}

interface Given {
  notices: readonly Notice[];
  onClose: (kind: Notice["kind"]) => void;
}

/** What a person should know about this terminal's connection. */
export function Notices({ notices, onClose }: Given) {
  return (
    <>
      {notices.map((notice) => (
        <Banner key={notice.kind} tone={toneOf(notice)} testid={`notice-${notice.kind}`} onClose={() => onClose(notice.kind)}>
          {noticeText(notice)}
        </Banner>
      ))}
    </>
  );
}

function toneOf({ kind }: Notice): "bad" | "info" {
  return kind === "failure" || kind === "not-sent" ? "bad" : "info";
}

/** The program wants to write the clipboard: only a person's click does. */
export function CopyOffer({ text, onClose }: { text: string | null; onClose: () => void }) {
  const [failed, setFailed] = useState(false);
  if (text === null) return null;
  const copy = async (): Promise<void> => {
    const done = await copyText(text);
    setFailed(!done);
    if (done) onClose();
  };
  return (
    <Banner tone="info" testid="clipboard-offer" onClose={onClose}>
      {failed ? t.terminal.copyFailed : t.terminal.copyOffer([...text].length)}{" "}
      <button class="button button-small" data-testid="clipboard-copy" onClick={() => void copy()}>
        {t.common.copy}
      </button>
    </Banner>
  );
}
