import { t } from "../strings";

/** An answer that is not a success, as a problem document (RFC 9457) or made from what there is of one. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly reason = "Error",
    readonly field?: string,
    readonly hint?: string,
  ) {
    super(message);
  }

  /** Nobody answered: the request may not have arrived. */
  get unreachable(): boolean {
    return this.status === 0;
  }
}

export function fromDocument(status: number, document: unknown): Problem {
  const data = (typeof document === "object" && document !== null ? document : {}) as Record<string, unknown>;
  const text = (name: string): string | undefined => (typeof data[name] === "string" ? data[name] : undefined);
  const detail = text("detail") ?? text("title") ?? t.problem.status(status);
  return new Problem(status, detail, text("reason"), text("field"), text("hint"));
}

export function fromFailure(failure: unknown): Problem {
  if (failure instanceof Problem) return failure;
  const timedOut = failure instanceof DOMException && failure.name === "TimeoutError";
  return new Problem(0, timedOut ? t.problem.timeout : t.problem.unreachable, "Unreachable");
}
