import { defineConfig } from "vite";

// Relative addresses: the console may be mounted below a prefix. No inlined assets and no preload polyfill: both
// would need more than the content security policy gives.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../src/sac_core/server/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
    license: { fileName: "licenses.md" },
  },
});
