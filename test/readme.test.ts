import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(__dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");

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
