import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Lab, openLab } from "../../../lab/lab";
import type { LabMachine } from "../../../lab/machine";
import { sendKnock, tryConnect } from "../../../lab/packets";
import { changeHost } from "../../../src/change/change";
import { readPolicy } from "../../unit/policy/read-policy";
import { claimHost, deployTo } from "../host/deployment";
import { type Firewall, loadIptables, loadNftablesConf } from "./firewalls";
import { listForeign } from "./foreign";

const steps = [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }];
const silenceMs = 900;

let lab: Lab;
let client: LabMachine;
beforeAll(async () => {
  lab = await openLab({ hosts: 4, clients: 1 });
  const [first] = lab.clients;
  if (first === undefined) throw new Error("expected a client");
  client = first;
});
afterAll(() => lab?.close());

/**
 * Each of these texts first flushes what is there, ours too: by nft's "flush ruleset", or by iptables-restore's own
 * table.
 */
describe.each<readonly ["nftables" | "iptables", string, Firewall["load"]]>([
  ["nftables", "an nftables.conf", loadNftablesConf],
  ["iptables", "an nftables.conf", loadNftablesConf],
  ["iptables", "rules of iptables", loadIptables],
])("a gate of the backend %s, on a host with %s", (backend, _, load) => {
  test("is gone when these are loaded anew, and the boot hook brings it back without a change to them", async () => {
    const host = claimHost(lab);
    await load(host, []);
    const before = await listForeign(host);
    const gates = [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }];
    const policy = readPolicy({ name: "edge", backend, gates });
    await changeHost({ policy, owner: "me", undoAfterSeconds: 60 }, await deployTo(lab, host));
    const look = () => tryConnect(client, host.ipv4, 22, silenceMs);
    expect(await look()).toBe("silent");
    await load(host, []);
    expect(await look()).toBe("open");
    await host.run(["sh", "/var/lib/knockgate/edge/host.sh", "boot", "edge"]);
    expect(await look()).toBe("silent");
    await sendKnock(client, { to: host.ipv4, steps });
    expect(await look()).toBe("open");
    expect(await listForeign(host)).toBe(before);
  });
});
