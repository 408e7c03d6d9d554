interface KeyboardLock {
  lock?(): Promise<void>;
}

/** Full screen; where the browser can, its own shortcuts (Ctrl+W) then go to the program too. Esc held down leaves. */
export function enterFullScreen(): void {
  const page = document.querySelector<HTMLElement>(".terminal-page");
  if (document.fullscreenElement) return void document.exitFullscreen();
  page?.requestFullscreen?.().then(
    () => (navigator as { keyboard?: KeyboardLock }).keyboard?.lock?.().catch(() => undefined),
    () => undefined,
  );
}
