import { configDefaults, defineConfig } from "vitest/config";

/** These need a root file system that is built only for deep runs. */
const deep = process.env["KNOCKGATE_DEEP"] === "1" ? [] : ["**/*.deep.test.ts"];

/** Folders whose tests share a lab's namespaces, one file after another. `npm test` runs the projects side by side. */
const project = (name: string, include: readonly string[]) => ({
  test: {
    name,
    include: [...include],
    exclude: [...configDefaults.exclude, ...deep],
    pool: "forks" as const,
    fileParallelism: false,
    setupFiles: ["test/unit/setup.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});

/** The tests that need a kernel, hosts or the engine. tools/in-lab.mjs gives them namespaces to work in. */
export default defineConfig({
  test: {
    // Only one lab at a time, also if one process runs all projects.
    maxWorkers: 1,
    projects: [
      // Each takes about as long as the others.
      project("engine", ["test/suites/{e2e,plugin}/**/*.test.ts"]),
      project("hosts", ["test/suites/{host,lab,examples}/**/*.test.ts"]),
      // Few of them run in `npm test`: most are deep.
      project("hosts-as-they-are", ["test/suites/hosts/**/*.test.ts"]),
      project("rest", [
        "test/suites/{faults,kernel,attack,coexistence,systemd,package}/**/*.test.ts",
        // Pure, but too long for the inner loop.
        "test/unit/**/*.long.test.ts",
      ]),
    ],
  },
});
