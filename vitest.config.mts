import { configDefaults, defineConfig } from "vitest/config";

/**
 * Tests that need a process of their own: they put something in a module's place, where nobody may have imported it
 * before, or change what belongs to the process, its umask or HOME.
 */
const alone = [
  "test/apply/reach.test.ts",
  "test/cli/{host-word,hosts,profile}.test.ts",
  "test/pulumi/!(check|contact|diff|fleet-plan).test.ts",
  "test/transport/host-key.test.ts",
];

/** No test waits: what takes long says something of the machine alone. */
const testTimeout = 30_000;

/**
 * The pure tests: no root, no kernel, no network. Those that take long stand in files named `*.long.test.ts`, which
 * `npm test` runs with the hosts' tests, so that this, the inner loop, stays short.
 */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "shared",
          testTimeout,
          include: ["test/**/*.test.ts"],
          exclude: [
            ...configDefaults.exclude,
            "**/*.long.test.ts",
            "test/{kernel,lab,host,e2e,attack,coexistence,systemd,faults,plugin,package,examples}/**",
            ...alone,
          ],
          // These share nothing that they change, so that one thread can serve many files.
          isolate: false,
          pool: "threads",
        },
      },
      {
        test: {
          name: "alone",
          testTimeout,
          include: alone,
          exclude: [...configDefaults.exclude, "**/*.long.test.ts"],
        },
      },
    ],
  },
});
