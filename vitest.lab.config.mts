import { configDefaults, defineConfig } from "vitest/config";

const isDeep = process.env["KNOCKGATE_DEEP"] === "1";
/** These need a root file system that is built only for deep runs. */
const deep = isDeep ? [] : ["**/*.deep.test.ts"];

/** Tests of hosts that hold for both transports. Those of logins have files of their own for each. */
const byEither = [
  ...["adopt", "bastion", "bastion-lacks", "bastion-limit", "bastion-vantage", "behind", "by-bastion"],
  ...["change", "connection", "error-secrets", "login-shells", "program", "proof", "prove-from", "reboot"],
  ...["refusal", "remove", "replaced", "secrecy", "shell", "ssh-cut", "sudo", "surroundings", "undo"],
  ...["upload", "ways-to-root"],
];

/** Folders whose tests share a lab's namespaces, one file after another. `npm test` runs the projects side by side. */
const project = (name: string, include: readonly string[], env: Readonly<Record<string, string>> = {}) => ({
  test: {
    name,
    env,
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
      ...(isDeep
        ? [
            project(
              "hosts-by-openssh",
              byEither.map((file) => `test/suites/host/${file}.test.ts`),
              { KNOCKGATE_TEST_TRANSPORT: "openssh" },
            ),
          ]
        : []),
      project("rest", [
        "test/suites/{faults,kernel,attack,coexistence,systemd,package}/**/*.test.ts",
        // Pure, but too long for the inner loop.
        "test/unit/**/*.long.test.ts",
      ]),
    ],
  },
});
