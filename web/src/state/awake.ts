/** Calls back when this page is looked at again or the network is back; returns what ends that. */
export function whenAwake(listener: () => void): () => void {
  const seen = (): void => {
    if (document.visibilityState === "visible") listener();
  };
  document.addEventListener("visibilitychange", seen);
  addEventListener("online", listener);
  return () => {
    document.removeEventListener("visibilitychange", seen);
    removeEventListener("online", listener);
  };
}
