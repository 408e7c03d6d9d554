import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../strings";

interface Given {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}

/** A modal dialog: the browser keeps the focus inside, closes it on Escape and gives the focus back. */
export function Dialog({ title, onClose, children }: Given) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    return () => before instanceof HTMLElement && before.isConnected && before.focus();
  }, []);
  return (
    <dialog ref={element} aria-labelledby="dialog-title" onClose={onClose} onClick={(event) => event.target === element.current && onClose()}>
      <div class="dialog-body">
        <h2 id="dialog-title">{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

interface Question {
  title: string;
  text: string;
  action: string;
  busy: boolean;
  children?: ComponentChildren;
  onYes: () => void;
  onClose: () => void;
}

export function Confirm({ title, text, action, busy, children, onYes, onClose }: Question) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      {children}
      <div class="dialog-actions">
        <button class="button" onClick={onClose}>
          {t.common.cancel}
        </button>
        <button class="button button-danger" data-testid="confirm" disabled={busy} onClick={onYes}>
          {action}
        </button>
      </div>
    </Dialog>
  );
}
