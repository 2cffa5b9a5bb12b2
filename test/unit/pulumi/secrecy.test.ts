import { readFileSync } from "node:fs";
import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { policySchema } from "../../../src/policy/schema";
import type { KnockFleet } from "../../../src/pulumi/fleet/knock-fleet";
import type { KnockGate } from "../../../src/pulumi/gate/knock-gate";
import {
  componentSecrecy,
  fieldNames,
  fieldSecrecy,
  rulesetSecrecy,
  secretNames,
  storedSecrecy,
  waveSecrecy,
} from "../../../src/pulumi/secrecy";
import { connectionSchema } from "../../../src/ssh/connection";

test("these are secret, and nothing else is", () => {
  expect([...new Set(secretNames)].sort()).toEqual([
    ...[
      "behind",
      "connection",
      "digest",
      "former",
      "hopProfiles",
      "key",
      "knock",
      "password",
      "policy",
      "privateKey",
    ],
    ...["privateKeyPassword", "profile", "profiles", "proveFrom", "redactionKey", "rulesets", "sealed"],
    ...["sshConfig", "steps", "sudoPassword"],
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
  const said = [rulesetSecrecy, storedSecrecy, waveSecrecy, componentSecrecy, fieldSecrecy].flatMap(
    Object.entries,
  );
  const plain = said.filter(([, secrecy]) => secrecy === "plain").map(([name]) => name);
  expect(plain.filter((name) => secretNames.includes(name))).toEqual([]);
});

test("the list of secrets loads neither schemas nor components", () => {
  const text = readFileSync(join(__dirname, "..", "..", "..", "src", "pulumi", "secrecy.ts"), "utf8");
  expect(text).toContain("rulesetSecrecy");
  expect(text.match(/^(?:import|export)\b.*\bfrom\b.*|.*\b(?:require|import)\(.*/gm)).toEqual(
    text.match(/^import type .*/gm),
  );
});

interface Described {
  readonly properties?: Readonly<Record<string, object>>;
}

function listNames(described: object): readonly string[] {
  const { properties = {} } = described as Described;
  const below = Object.values(described).filter((value) => typeof value === "object" && value !== null);
  return [...Object.keys(properties), ...below.flatMap(listNames)];
}

test("the names that a preview may show are exactly those of the schemas", () => {
  const described = [policySchema, connectionSchema].map((schema) =>
    z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }),
  );
  expect([...fieldNames].sort()).toEqual([...new Set(described.flatMap(listNames))].sort());
});
