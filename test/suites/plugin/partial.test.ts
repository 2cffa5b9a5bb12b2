import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runtime } from "@pulumi/pulumi";
import { expect, test, vi } from "vitest";
import { KnockgateError } from "../../../src/errors";
import { makeProvider } from "../../../src/pulumi/plugin/provider";
import type * as operations from "../../../src/pulumi/ruleset/operations";
import { attachState } from "../../../src/pulumi/ruleset/partial";

const properties = { connection: { host: "203.0.113.7" }, former: [{ name: "edge" }], failure: "lost" };
const lost = () => attachState(new KnockgateError("NOT_CONFIRMED", "lost"), { id: "edge-1", properties });

vi.mock("../../../src/pulumi/ruleset/operations", async (load) => ({
  ...(await load<typeof operations>()),
  create: () => Promise.reject(lost()),
  update: () => Promise.reject(lost()),
}));

const schema = readFileSync(
  join(__dirname, "..", "..", "..", "dist", "pulumi", "plugin", "schema.json"),
  "utf8",
);
const urn = "urn:pulumi:lab::knockgate-lab::knockgate:index:Ruleset::edge";
const provider = makeProvider(schema);

test.each([
  ["create", () => provider.create?.(urn, {})],
  ["update", () => provider.update?.("edge-1", urn, {}, {})],
])("the state that goes with a failed %s has its secrets marked", async (_what, act) => {
  const error: unknown = await act()?.catch((cause: unknown) => cause);
  expect(error).toMatchObject({ id: "edge-1", reasons: ["lost [NOT_CONFIRMED]"] });
  const { connection, former, failure } = (error as { properties: Record<string, unknown> }).properties;
  expect([connection, former].map((value) => runtime.isRpcSecret(value))).toEqual([true, true]);
  expect(failure).toBe("lost");
});
