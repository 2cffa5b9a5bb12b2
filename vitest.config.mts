import { configDefaults, defineConfig } from "vitest/config";

/**
 * Tests that need a process of their own. Some replace a module, which nothing may have imported before. Others change
 * what belongs to the process: its umask or HOME.
 */
const alone = [
  "test/unit/change/reach.test.ts",
  "test/unit/cli/hosts/{host-word,hosts}.test.ts",
  "test/unit/cli/profiles/profile.test.ts",
  "test/unit/pulumi/*.test.ts",
  "test/unit/pulumi/gate/*.test.ts",
  "test/unit/pulumi/fleet/!(plan|rollout|wave-summary).test.ts",
  "test/unit/pulumi/ruleset/!(check|needs-host|diff).test.ts",
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
          include: ["test/unit/**/*.test.ts"],
          exclude: [...configDefaults.exclude, "**/*.long.test.ts", ...alone],
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
