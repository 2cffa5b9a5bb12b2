import { configDefaults, defineConfig } from "vitest/config";

/**
 * Tests that need a process of their own. Some replace a module, which nothing may have imported before. Others change
 * what belongs to the process: its umask or HOME.
 */
const alone = [
  "test/unit/change/reach.test.ts",
  "test/cli/{host-word,hosts,profile}.test.ts",
  "test/pulumi/!(check|contact|diff|fleet-plan).test.ts",
  "test/unit/ssh/keys/host-key.test.ts",
];

/** No pure test waits: how long one takes depends only on the machine. */
const testTimeout = 30_000;

/**
 * The pure tests: no root, no kernel, no network. Slow ones are in files named `*.long.test.ts`. `npm test` runs those
 * with the hosts' tests, so that this inner loop stays short.
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
          // These change nothing that they share, so one thread can run many files.
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
