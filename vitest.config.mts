import { configDefaults, defineConfig } from "vitest/config";

/** The pure tests: no root, no kernel, no network. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // The tests share nothing that they change, so that a process can be used for many files.
    isolate: false,
    maxWorkers: 2,
    exclude: [...configDefaults.exclude, "test/{kernel,lab,host,e2e,attack,coexistence}/**"],
  },
});
