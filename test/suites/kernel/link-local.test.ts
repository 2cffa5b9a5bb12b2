import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { runCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import type { LabMachine } from "../../../lab/machine";
import { tryConnect } from "../../../lab/packets";
import { renderPolicy } from "../../../src/backends/render";
import { readPolicy } from "../../unit/policy/read-policy";
import { tcp } from "./attempt";
import { doorPort, type GatedLab, gateBefore, openGatedLab, silenceMs } from "./gated-lab";
import { backendOf, loadText, variants } from "./model-machine";

const same = { ipv4: "169.254.7.7", ipv6: "fe80::7" };
const its = { ipv4: "169.254.7.1", ipv6: "fe80::1" };

let gated: GatedLab;
let host: LabHost;
beforeAll(async () => {
  gated = await openGatedLab(1);
  host = gated.keepHost();
  // Two machines have the same address, each on a link of its own with the host.
  for (const [index, client] of [gated.knocker, gated.other].entries()) await linkTo(client, `l${index}`);
  // The kernel brings a new link up in its own time, up to a second later. Until then all packets are lost. Over IPv4,
  // the host answers on the first link only.
  for (const [client, index, family] of [
    [gated.knocker, 0, "ipv4"],
    [gated.knocker, 0, "ipv6"],
    [gated.other, 1, "ipv6"],
  ] as const) {
    const isThere = async () => expect(await look(client, index, family, doorPort)).toBe("open");
    await vi.waitFor(isThere, { timeout: 10_000 });
  }
});
afterAll(() => gated?.close());

async function linkTo(client: LabMachine, link: string): Promise<void> {
  const peer = ["type", "veth", "peer", "name", link, "netns", String(host.pid)];
  await runIp(client, ["link", "add", link, ...peer]);
  for (const [machine, address] of [
    [client, same],
    [host, its],
  ] as const) {
    await runIp(machine, ["link", "set", link, "addrgenmode", "none"]);
    await runIp(machine, ["address", "add", `${address.ipv4}/24`, "dev", link]);
    await runIp(machine, ["address", "add", `${address.ipv6}/64`, "dev", link, "nodad"]);
    await runIp(machine, ["link", "set", link, "up"]);
  }
}

/** With the outside's /proc, in which the namespaces of other machines have a path. */
async function runIp(machine: LabMachine, argv: readonly string[]): Promise<void> {
  await runCommand(["nsenter", "--target", String(machine.pid), "--net", "--", "ip", ...argv]);
}

/** Node names the link in an address by its zone. */
function look(client: LabMachine, index: number, family: "ipv4" | "ipv6", port: number): Promise<string> {
  const address = family === "ipv4" ? its.ipv4 : `${its.ipv6}%l${index}`;
  return tryConnect(client, address, port, silenceMs);
}

describe.each(variants)("by %s", (variant) => {
  test.each([
    ["ipv4", tcp(7_000)],
    ["ipv6", tcp(7_000)],
    ["ipv4", tcp(7_000, 8_000, 9_000)],
    ["ipv6", tcp(7_000, 8_000, 9_000)],
  ] as const)(
    "a knock over %s from a link-local address does not open on any link: %j",
    async (family, steps) => {
      for (const limits of [{}, { firstStepsPerSecond: 0 }]) {
        const gates = [gateBefore([...steps])];
        const policy = readPolicy({ name: "edge", backend: backendOf(variant), gates, limits });
        await loadText(host, variant, renderPolicy(policy));
        for (const step of steps) {
          expect(await look(gated.knocker, 0, family, "tcp" in step ? (step.tcp ?? 0) : 0)).toBe("refused");
        }
        expect(await look(gated.knocker, 0, family, doorPort)).toBe("silent");
        if (family === "ipv6") expect(await look(gated.other, 1, family, doorPort)).toBe("silent");
      }
      // The same packets do open when the address is in allowFrom.
      const allowFrom = [same[family]];
      const gates = [gateBefore([...steps])];
      const policy = readPolicy({ name: "edge", backend: backendOf(variant), gates, allowFrom });
      await loadText(host, variant, renderPolicy(policy));
      expect(await look(gated.knocker, 0, family, doorPort)).toBe("open");
    },
  );
});
