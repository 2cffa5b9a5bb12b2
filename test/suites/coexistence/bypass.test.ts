import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Lab, openLab } from "../../../lab/lab";
import type { LabMachine } from "../../../lab/machine";
import { tryConnect } from "../../../lab/packets";
import { changeHost } from "../../../src/change/change";
import type { PolicyInput } from "../../../src/policy/policy";
import { readPolicy } from "../../unit/policy/read-policy";
import { claimHost, deployTo } from "../host/deployment";
import { loadIptables } from "./firewalls";

const silenceMs = 900;
/** A port that the host's firewall does not accept and no gate protects. */
const otherPort = 9_999;

let lab: Lab;
let allowed: LabMachine;
beforeAll(async () => {
  lab = await openLab({ hosts: 4, clients: 1 });
  const [first] = lab.clients;
  if (first === undefined) throw new Error("expected a client");
  allowed = first;
});
afterAll(() => lab?.close());

describe.each(["nftables", "iptables"] as const)("with the backend %s", (backend) => {
  const steps = [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }];
  const gates: PolicyInput["gates"] = [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }];

  test("allowFrom lets a source through the gate, and through nothing else of the host's firewall", async () => {
    const host = claimHost(lab);
    await loadIptables(host, []);
    const look = (port: number) => tryConnect(allowed, host.ipv4, port, silenceMs);
    expect(await Promise.all([look(22), look(otherPort)])).toEqual(["open", "silent"]);
    const policy = readPolicy({ name: "edge", backend, gates, allowFrom: [`${allowed.ipv4}/32`] });
    await changeHost({ policy, owner: "me", undoAfterSeconds: 60 }, await deployTo(lab, host));
    expect(await Promise.all([look(22), look(otherPort)])).toEqual(["open", "silent"]);
  });

  test("for ports that it does not protect, a gate only counts packets", async () => {
    const host = claimHost(lab);
    await loadIptables(host, []);
    const policy = readPolicy({ name: "edge", backend, gates });
    await changeHost({ policy, owner: "me", undoAfterSeconds: 60 }, await deployTo(lab, host));
    // The port that the firewall accepts has no server: it refuses. The port that it drops does not answer.
    expect(await tryConnect(allowed, host.ipv4, 443, silenceMs)).toBe("refused");
    expect(await tryConnect(allowed, host.ipv4, otherPort, silenceMs)).toBe("silent");
  });
});
