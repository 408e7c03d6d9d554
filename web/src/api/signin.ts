import { create, request } from "./http";
import { forgetSecret, keepSecret } from "./secret";
import type { Principal } from "./types";

/** The single-use code of the address, which is removed from it at once: it must not stay in the history. */
export function takeCode(): string | null {
  const match = /^#code=(.+)$/.exec(location.hash);
  if (!match?.[1]) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return decodeURIComponent(match[1]);
}

export async function signIn(code: string): Promise<Principal> {
  const answer = await create<{ secret: string; principal: Principal }>("signin", { code });
  keepSecret(answer.secret);
  return answer.principal;
}

export async function signOut(): Promise<void> {
  await request("POST", "signout");
  forgetSecret();
}

export function whoAmI(): Promise<Principal> {
  return request<Principal>("GET", "me");
}
