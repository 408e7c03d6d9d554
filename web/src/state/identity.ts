import { signedOut, whenSignedOut } from "../api/http";
import { fromFailure, type Problem } from "../api/problem";
import { secret, whenSecretChanges } from "../api/secret";
import { signIn, signOut, takeCode, whoAmI } from "../api/signin";
import type { Principal } from "../api/types";
import { startFeed, stopFeed } from "./live";
import { Observable } from "./observable";
import { go, links } from "./route";

export type Identity =
  | { state: "asking" }
  | { state: "in"; principal: Principal }
  | { state: "out"; problem: Problem | null; left: boolean };

export const identity = new Observable<Identity>({ state: "asking" });

/** Who are we? By the code in the address if there is one, else by what an earlier sign-in left. */
export async function begin(): Promise<void> {
  whenSignedOut(() => leave(null, false));
  whenSecretChanges(() => (secret() ? void ask() : leave(null, true)));
  addEventListener("hashchange", () => void enterByCode());
  if (!(await enterByCode())) await ask();
}

async function enterByCode(): Promise<boolean> {
  const code = takeCode();
  if (code === null) return false;
  identity.set({ state: "asking" });
  await settle(() => signIn(code), (problem) => leave(problem, false));
  if (identity.value.state === "in") go(links.agents);
  return true;
}

export async function ask(): Promise<void> {
  if (!secret()) return leave(null, false);
  identity.set({ state: "asking" });
  await settle(whoAmI, (problem) => (problem.status === 401 ? leave(null, true) : leave(problem, false)));
}

export async function exit(): Promise<void> {
  try {
    await signOut();
  } finally {
    signedOut();
    leave(null, true);
  }
}

async function settle(find: () => Promise<Principal>, failed: (problem: Problem) => void): Promise<void> {
  try {
    identity.set({ state: "in", principal: await find() });
    startFeed();
  } catch (failure) {
    failed(fromFailure(failure));
  }
}

function leave(problem: Problem | null, left: boolean): void {
  stopFeed();
  identity.set({ state: "out", problem, left });
}
