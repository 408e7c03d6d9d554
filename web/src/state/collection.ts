import type { Resource } from "../api/types";
import { Observable } from "./observable";

/** Every agent and session that this user may see, by kind and name, as the server last told. */
export class Collection {
  readonly all = new Observable<ReadonlyMap<string, Resource>>(new Map());
  private draft = new Map<string, Resource>();
  private seen: Set<string> | null = null;
  private pending: ReturnType<typeof setTimeout> | null = null;

  /** What follows, up to `synced`, is all there is. */
  restart(): void {
    this.seen = new Set();
  }

  put(object: Resource): void {
    const key = keyOf(object);
    this.seen?.add(key);
    if (!isOlder(object, this.draft.get(key))) this.draft.set(key, object);
    this.publishSoon();
  }

  remove(object: Resource): void {
    const key = keyOf(object);
    if (this.draft.get(key)?.metadata.uid === object.metadata.uid) this.draft.delete(key);
    this.publishSoon();
  }

  synced(): void {
    const seen = this.seen;
    this.seen = null;
    if (seen) for (const key of [...this.draft.keys()]) if (!seen.has(key)) this.draft.delete(key);
    this.publish();
  }

  clear(): void {
    this.draft.clear();
    this.publish();
  }

  // Many changes come at once (a start with hundreds of agents); the page is drawn once for all of them.
  private publishSoon(): void {
    this.pending ??= setTimeout(() => this.publish(), 16);
  }

  private publish(): void {
    if (this.pending !== null) clearTimeout(this.pending);
    this.pending = null;
    this.all.set(new Map(this.draft));
  }
}

export function keyOf(object: Resource): string {
  return `${object.kind}/${object.metadata.namespace ?? "default"}/${object.metadata.name}`;
}

// An answer to a request may arrive after a newer event about the same thing.
function isOlder(object: Resource, known: Resource | undefined): boolean {
  if (!known || known.metadata.uid !== object.metadata.uid) return false;
  return Number(object.metadata.resourceVersion) < Number(known.metadata.resourceVersion);
}
