import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runtime } from "@pulumi/pulumi";
import { expect, test, vi } from "vitest";
import { KnockgateError } from "../../../src/errors";
import { makeProvider } from "../../../src/pulumi/plugin/provider";
import type * as operations from "../../../src/pulumi/ruleset/operations";
import { attachState } from "../../../src/pulumi/ruleset/partial";
import { unseal } from "../../../src/pulumi/ruleset/sealed";

const sealedProperties = { connection: { host: "203.0.113.7" }, former: [{ name: "edge" }] };
const properties = { ...sealedProperties, failure: "lost" };
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

/** An operation needs inputs that this process has checked. */
async function checkInputs(): Promise<Record<string, unknown>> {
  const gate = {
    name: "ssh",
    protect: [{ tcp: "22" }],
    knock: { steps: [{ tcp: 7411 }, { udp: 8522 }, { tcp: 9633 }] },
  };
  const given = { connection: { host: "203.0.113.7" }, policy: { name: "edge", gates: [gate] } };
  const checked = await provider.check?.(urn, {}, given);
  expect(checked?.failures).toEqual([]);
  return checked?.inputs;
}

test.each([
  ["create", async () => provider.create?.(urn, await checkInputs())],
  ["update", async () => provider.update?.("edge-1", urn, {}, await checkInputs())],
])("the state that goes with a failed %s has its secrets marked", async (_what, act) => {
  const error: unknown = await act()?.catch((cause: unknown) => cause);
  expect(error).toMatchObject({ id: "edge-1", reasons: ["lost [NOT_CONFIRMED]"] });
  const { sealed, ...plain } = (error as { properties: Record<string, unknown> }).properties;
  expect(runtime.isRpcSecret(sealed)).toBe(true);
  expect(unseal(runtime.unwrapRpcSecret(sealed))).toMatchObject(sealedProperties);
  expect(plain).toEqual({ failure: "lost" });
});
