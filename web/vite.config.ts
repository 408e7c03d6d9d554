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
    cssCodeSplit: false, // a style that did not arrive with its part of the page would never be asked for again
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
    license: { fileName: "licenses.md" },
  },
});
