/**
 * The secret that goes with the cookie. The cookie alone opens nothing, since browsers send it to every port of a host;
 * what an origin keeps, no other port can read.
 */

const KEY = `sac.secret:${new URL(".", document.baseURI).pathname}`;

export function secret(): string | null {
  return localStorage.getItem(KEY);
}

export function keepSecret(value: string): void {
  localStorage.setItem(KEY, value);
}

export function forgetSecret(): void {
  localStorage.removeItem(KEY);
}

/** Told when another tab signs in or out. */
export function whenSecretChanges(listener: () => void): void {
  addEventListener("storage", (event) => {
    if (event.key === KEY || event.key === null) listener();
  });
}
