import { expect, test } from "vitest";
import { z } from "zod";
import { policySchema } from "../../../src/policy/schema";
import { fieldNames } from "../../../src/pulumi/secret-input";
import { connectionSchema } from "../../../src/ssh/connection";

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
