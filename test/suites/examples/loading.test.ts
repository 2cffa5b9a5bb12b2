import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(__dirname, "..", "..", "..");
const examples = join(root, "examples");
const steps = [{ tcp: 7_000 }];
const knockSeed = "0123456789abcdef0123456789abcdef";

interface Program {
  readonly outputs: string;
  /** In addition to that of a host. */
  readonly config?: Readonly<Record<string, unknown>>;
}

const programs: Readonly<Record<string, Program>> = {
  "single-host": { outputs: "digest knock sshConfig profile counters", config: { knockSeed } },
  sequence: { outputs: "digest knock sshConfig profile counters", config: { steps } },
  "tcp-udp-icmp": { outputs: "knock sshConfig counters", config: { knockSeed } },
  team: { outputs: "sshConfig counters profiles", config: { knockSeed } },
  wireguard: { outputs: "profile counters", config: { knockSeed } },
  "container-host": { outputs: "knock", config: { steps } },
  bastion: {
    outputs: "knock sshConfig profile",
    config: { steps, bastion: "198.51.100.2", bastionHostKey: "ssh-ed25519 AAAA" },
  },
  "fleet-canary": {
    outputs: "summary sshConfig profiles",
    config: {
      hosts: { canary: { host: "203.0.113.7", hostKey: "ssh-ed25519 AAAA" } },
      knockSeed,
    },
  },
  "many-stacks": { outputs: "sshConfig profiles" },
  "original-recipe": { outputs: "knock sshConfig" },
  "guarded-commands": { outputs: "kernel knock", config: { steps } },
  "shared-policy": { outputs: "knock", config: { knocks: { ssh: steps } } },
};

/** By the text of tsconfig.json: one compiler serves all programs with the same settings, as it would serve each. */
const compilers = new Map<string, string[]>();
for (const name of Object.keys(programs)) {
  const settings = readFileSync(join(examples, name, "tsconfig.json"), "utf8");
  compilers.set(settings, [...(compilers.get(settings) ?? []), name]);
}
const groups = [...compilers.values()].map((names) => ({ names }));

function load(folder: string, names: readonly string[]): string {
  const all = names.map((name) => {
    const config = {
      host: "203.0.113.7",
      hostKey: "ssh-ed25519 AAAA",
      privateKey: "a key",
      ...programs[name]?.config,
    };
    const texts = Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    return { main: join(examples, name, "index.ts"), config: Object.fromEntries(texts) };
  });
  const args = [join(__dirname, "load-program.cjs"), folder, JSON.stringify(all)];
  const env = { ...process.env, KNOCK_SEED: knockSeed, PRIVATE_KEY: "a key" };
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", env });
  return `${stderr}${stdout}`;
}

function listOutputs(names: readonly string[]): string {
  return names.map((name) => `${programs[name]?.outputs}\n`).join("");
}

test.each(groups)("pulumi's TypeScript loader loads $names", ({ names }) => {
  expect(load(join(examples, names[0] ?? ""), names)).toBe(listOutputs(names));
});

test("pulumi's TypeScript loader loads the checkout's own project", () => {
  expect(load(root, ["single-host"])).toBe(listOutputs(["single-host"]));
});

test("every example is loaded", () => {
  const found = readdirSync(examples).filter((name) => existsSync(join(examples, name, "index.ts")));
  expect(found.sort()).toEqual(Object.keys(programs).sort());
});
