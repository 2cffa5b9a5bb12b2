import { readFileSync } from "node:fs";
import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import ts from "typescript";
import { expect, expectTypeOf, test } from "vitest";
import type { KnockFleet } from "../../../src/pulumi/fleet/knock-fleet";
import type { KnockGate } from "../../../src/pulumi/gate/knock-gate";
import {
  componentSecrecy,
  fieldSecrecy,
  rulesetSecrecy,
  secretNames,
  waveSecrecy,
} from "../../../src/pulumi/secrecy";

test("these are secret, and nothing else is", () => {
  expect([...new Set(secretNames)].sort()).toEqual([
    ...["behind", "connection", "digest", "former", "knock", "password", "policy", "privateKey"],
    ...["privateKeyPassword", "profile", "profiles", "proveFrom", "redactionKey", "rulesets", "sshConfig"],
    ...["steps", "sudoPassword"],
  ]);
});

type OutputName<Component> = {
  [Name in keyof Component]: Component[Name] extends pulumi.OutputInstance<unknown> ? Name : never;
}[keyof Component];

test("each output of the components, and nothing else, is said to be secret or plain", () => {
  type Outputs = Exclude<OutputName<KnockGate> | OutputName<KnockFleet>, "urn">;
  expectTypeOf<keyof typeof componentSecrecy>().toEqualTypeOf<Outputs>();
});

test("a name means one thing, because the schema for other languages goes only by the name", () => {
  const said = [rulesetSecrecy, waveSecrecy, componentSecrecy, fieldSecrecy].flatMap(Object.entries);
  const plain = said.filter(([, secrecy]) => secrecy === "plain").map(([name]) => name);
  expect(plain.filter((name) => secretNames.includes(name))).toEqual([]);
});

test("the list of secrets loads neither schemas nor components", () => {
  const path = join(__dirname, "..", "..", "..", "src", "pulumi", "secrecy.ts");
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 };
  const { outputText } = ts.transpileModule(readFileSync(path, "utf8"), { compilerOptions });
  expect(outputText).toContain("rulesetSecrecy");
  expect(outputText).not.toMatch(/require|import/);
});
