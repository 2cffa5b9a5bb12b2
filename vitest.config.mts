import { configDefaults, defineConfig } from "vitest/config";

/** Tests that put something in a module's place: in a process of their own, where nobody has imported it before. */
const replacing = [
  "test/apply/reach.test.ts",
  "test/cli/{host-word,hosts}.test.ts",
  "test/pulumi/!(check|contact|diff|fleet-plan).test.ts",
];

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
          include: ["test/**/*.test.ts"],
          exclude: [
            ...configDefaults.exclude,
            "**/*.long.test.ts",
            "test/{kernel,lab,host,e2e,attack,coexistence,systemd,faults,plugin,package,examples}/**",
            ...replacing,
          ],
          // These share nothing that they change, so that one process can serve many files.
          isolate: false,
        },
      },
      {
        test: {
          name: "isolated",
          include: replacing,
          exclude: [...configDefaults.exclude, "**/*.long.test.ts"],
        },
      },
    ],
  },
});
