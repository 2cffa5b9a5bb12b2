import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { foldFamilies } from "../../src/backends/nftables/fold";
import { renderRedacted } from "../../src/backends/redact";
import { readPolicy } from "./policy/read-policy";

const root = join(__dirname, "..", "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const started = readFileSync(join(root, "docs", "getting-started.md"), "utf8");

test("the README's program is examples/single-host", () => {
  const program = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  expect(program).toBe(readFileSync(join(root, "examples/single-host/index.ts"), "utf8"));
});

test("examples/single-host asks for the same configuration as the project at the top", () => {
  const [top, example] = ["Pulumi.yaml", "examples/single-host/Pulumi.yaml"].map((file) => {
    return readFileSync(join(root, file), "utf8").replace(/^[\s\S]*?^config:/m, "");
  });
  expect(top).toBe(example);
});

test("the preview's lines in docs/getting-started.md begin like those of a ruleset", () => {
  const steps = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 9633 }];
  const policy = readPolicy({
    name: "edge",
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }],
  });
  const withoutLabel = (line: string) => line.replace(/<ssh-(\d):[0-9a-f]{6}>/, "<ssh-$1>");
  const rendered = foldFamilies(renderRedacted(policy, "key")).split("\n").map(withoutLabel);
  const lines = started.matchAll(/^ {10}[-+] ( {2}\w.*) \.\.\.$/gm);
  const shown = [...lines].map(([, line = ""]) => withoutLabel(line));
  expect(shown).toHaveLength(2);
  expect(shown.filter((line) => !rendered.some((one) => one.startsWith(line)))).toEqual([]);
});
