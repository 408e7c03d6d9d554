/** Split a line into a program and its arguments: at spaces, quotes keep them. No shell: nothing is expanded. */
export function splitArguments(line: string): string[] {
  const parts: string[] = [];
  const pattern = /(?:"([^"]*)"|'([^']*)'|([^\s"']+))(\s+|$)?/g;
  let open = "";
  let inside = false;
  for (const [, double, single, plain, end] of line.trim().matchAll(pattern)) {
    open += double ?? single ?? plain ?? "";
    inside = end === undefined;
    if (inside) continue;
    parts.push(open);
    open = "";
  }
  return inside ? [...parts, open] : parts;
}
