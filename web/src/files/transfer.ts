import { readArchive, statPath, writeArchive } from "../api/files";
import { fromFailure, Problem } from "../api/problem";
import { t } from "../strings";
import { nameOf } from "./naming";
import { saved } from "./save";
import { archiveOf, DamagedArchive, fileOf } from "./tar";

/** How far something is: `total` once it is known. */
export interface Progress {
  name: string;
  done: number;
  total?: number;
}

export type Told = (progress: Progress) => void;

/** A file as it is, or what is in a folder as a tar archive, into the browser's downloads; the name that it gets there. */
export async function download(agent: string, path: string, signal: AbortSignal, told: Told): Promise<string> {
  const type = await statPath(agent, path);
  if (type === "special") throw new Problem(400, t.files.special(path), "Special", "path");
  const name = nameOf(agent, path, type === "folder");
  const progress: Progress = { name, done: 0 };
  const archive = readArchive(agent, path, signal);
  const pieces = type === "file" ? fileOf(archive, (size) => told(Object.assign(progress, { total: size }))) : archive;
  try {
    await saved(name, pieces, (bytes) => told(Object.assign(progress, { done: progress.done + bytes })));
  } catch (failure) {
    throw failure instanceof DamagedArchive ? new Problem(502, t.files.damaged, "Lost") : fromFailure(failure);
  }
  return name;
}

/** Chosen files, or a chosen folder with its name, into a folder of the agent. */
export async function upload(agent: string, folder: string, files: readonly File[], signal: AbortSignal, told: Told): Promise<void> {
  const tar = archiveOf(files.map((file) => ({ name: file.webkitRelativePath || file.name, content: file, modified: file.lastModified })));
  const name = files.length === 1 && files[0] ? files[0].name : t.files.several(files.length);
  await writeArchive(agent, folder, tar, signal, (done) => told({ name, done, total: tar.size }));
}
