import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig } from "vite";

const folder = resolve(import.meta.dirname, "../tests/web");

// The tests of the logic, bundled for node's own test runner: no other runner is needed.
export default defineConfig({
  ssr: { noExternal: true },
  build: {
    ssr: true,
    outDir: ".test",
    emptyOutDir: true,
    target: "node20",
    rolldownOptions: { input: readdirSync(folder).filter((name) => name.endsWith(".test.ts")).map((name) => resolve(folder, name)) },
  },
});
