import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import type { Properties } from "../../../src/pulumi/properties";
import { createGate } from "./create-gate";
import { claimHost, connectionTo, sayUnnamed } from "./deployment";
import { listGate } from "./inspection";
import { oldSteps } from "./policies";

let lab: Lab;
let prover: LabHost;
beforeAll(async () => {
  lab = await openLab({ hosts: 4 });
  prover = claimHost(lab);
});
afterAll(() => lab?.close());
afterEach(() => vi.restoreAllMocks());

function inputs(host: LabHost, policy: object): Properties {
  const gates = [
    { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: oldSteps }, openForSeconds: 60 },
    { name: "vpn", protect: [{ udp: "51820" }], knock: { steps: [...oldSteps].reverse() } },
  ];
  return {
    connection: connectionTo(lab, host),
    proveFrom: connectionTo(lab, prover, { user: "plain" }),
    policy: { name: "edge", gates, allowFrom: [lab.outside.ipv4], ...policy },
  };
}

/** The proof's lines, without host and policy. */
async function createAndListen(given: Properties): Promise<readonly string[]> {
  const said = vi.spyOn(console, "log").mockReturnValue();
  await createGate(given);
  return said.mock.calls.flatMap(([line]) => /5\/6 prove: (.*)$/.exec(`${line}`)?.[1] ?? []);
}

test("for a deployer that need not knock, the gates are tried from a machine that must", async () => {
  const host = claimHost(lab);
  const lines = await createAndListen(inputs(host, {}));
  expect(lines[0]).toMatch(/^closed and open are tried from plain@/);
  expect(lines.slice(1)).toEqual([
    "closed: gate ssh does not answer on TCP port 22 before the knock; its own counter saw the packets dropped",
    "closed: gate vpn lets nothing through to UDP port 51820 before the knock; its own counter saw the packets dropped",
    sayUnnamed(host),
    "open: gate ssh answers on TCP port 22 after the knock (open)",
    "open: gate vpn lets a datagram through to UDP port 51820 after the knock; its own counter saw it",
    "open: a fresh SSH connection comes through without a knock, because this machine's address is in allowFrom",
  ]);
});

test("nothing is reported as proven from a machine that is let in without a knock itself", async () => {
  const lines = await createAndListen(inputs(claimHost(lab), { allowFrom: [lab.outside.ipv4, prover.ipv4] }));
  expect(lines.join("\n")).toMatch(/closed: not checked, because plain@\S+'s address is in allowFrom/);
  expect(lines.join("\n")).not.toContain("its own counter");
});

test("a proving machine that can't be reached is an error before the host is touched", async () => {
  const host = claimHost(lab);
  const given = inputs(host, {});
  const proveFrom = { ...connectionTo(lab, prover), port: 9, dialErrorLimit: 0, perDialTimeout: 1 };
  await expect(createGate({ ...given, proveFrom })).rejects.toThrow(
    /Nothing was changed on the host.*\[UNREACHABLE\]$/s,
  );
  expect(await listGate(host)).toBe("");
});
