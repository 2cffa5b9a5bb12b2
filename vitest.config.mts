import { configDefaults, defineConfig } from "vitest/config";

/**
 * Tests that replace a module, or change what belongs to the process: its umask or HOME. No other test runs in their
 * processes.
 */
const alone = [
  "test/unit/change/reach.test.ts",
  "test/unit/cli/hosts/{host-word,hosts,who}.test.ts",
  "test/unit/cli/profiles/profile.test.ts",
  "test/unit/pulumi/fleet/{rollback,wave-operations}.test.ts",
  "test/unit/pulumi/ruleset/{hop-profiles,operations,provider}.test.ts",
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
    // What was transformed once is kept in node_modules.
    experimental: { fsModuleCache: true },
    projects: [
      {
        test: {
          name: "shared",
          testTimeout,
          setupFiles: ["test/unit/setup.ts"],
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
          setupFiles: ["test/unit/setup-alone.ts"],
          include: alone,
          exclude: [...configDefaults.exclude, "**/*.long.test.ts"],
          // A new process for each file would load all packages again.
          isolate: false,
          pool: "forks",
        },
      },
    ],
  },
});
