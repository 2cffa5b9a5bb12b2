import { configDefaults, defineConfig } from "vitest/config";

/** The tests that need a kernel, hosts or the engine; scripts/in-lab.mjs gives them namespaces to work in. */
export default defineConfig({
  test: {
    include: [
      "test/{kernel,lab,host,e2e,attack,coexistence,systemd,faults,plugin,package,examples}/**/*.test.ts",
    ],
    // These need a root file system that is built for deep runs alone.
    exclude: [
      ...configDefaults.exclude,
      ...(process.env["KNOCKGATE_DEEP"] === "1" ? [] : ["**/*.deep.test.ts"]),
    ],
    pool: "forks",
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
