/** The last part of a path; the agent's name for one that names nothing. */
export function nameOf(agent: string, path: string, folder: boolean): string {
  const last = path.split("/").filter((part) => part !== "").pop() ?? ".";
  const name = last === "." || last === ".." ? agent : last;
  return folder ? `${name}.tar` : name;
}
