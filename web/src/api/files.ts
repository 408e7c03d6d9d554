import { uncut } from "./cut";
import { request } from "./http";
import { send, stream } from "./streams";

/** SAC ends what does not move for a minute, and says so. */
const PATIENCE_MS = 90_000;
const TAR = "application/x-tar";

export type FileType = "file" | "folder" | "special";

function at(agent: string, path: string, more = ""): string {
  return `agents/${encodeURIComponent(agent)}/files${more}?${new URLSearchParams({ path })}`;
}

/** What is at a path of an agent. */
export async function statPath(agent: string, path: string): Promise<FileType> {
  return (await request<{ type: FileType }>("GET", at(agent, path, "/stat"), undefined, PATIENCE_MS)).type;
}

/** A tar archive of a file or of what is in a folder, as it comes; throws `Problem`. */
export function readArchive(agent: string, path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  return uncut(stream(at(agent, path), signal, PATIENCE_MS));
}

/** Has an archive extracted in a folder of an agent; throws `Problem`. `moved` is told how much has been sent. */
export function writeArchive(agent: string, folder: string, tar: Blob, signal: AbortSignal, moved: (bytes: number) => void): Promise<void> {
  return send(at(agent, folder), new Blob([tar], { type: TAR }), { signal, patience: PATIENCE_MS, moved });
}
