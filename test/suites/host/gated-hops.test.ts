import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { tryConnect } from "../../../lab/packets";
import { makeProfile, type Profile } from "../../../src/knock/clients/profile";
import type { Policy } from "../../../src/policy/policy";
import { writePolicy } from "../../../src/policy/written-policy";
import type { Properties } from "../../../src/pulumi/properties";
import { delete as remove } from "../../../src/pulumi/ruleset/operations";
import { createGate } from "./create-gate";
import { connectionTo } from "./deployment";
import { listGate } from "./inspection";
import { installSsh, type TestSsh } from "./openssh-client";
import { makePolicy } from "./policies";

let lab: Lab;
let ssh: TestSsh;
let first: LabHost;
let last: LabHost;
let prover: LabHost;
let host: LabHost;
let lines: string[];

beforeAll(async () => {
  lab = await openLab({ hosts: 4 });
  [first, last, prover, host] = lab.hosts as [LabHost, LabHost, LabHost, LabHost];
  ssh = installSsh(lab.directory);
  const key = join(ssh.folder, "key");
  writeFileSync(key, lab.privateKey, { mode: 0o600 });
  writeFileSync(ssh.knownHosts, lab.hosts.map(({ ipv4, hostKey }) => `${ipv4} ${hostKey}\n`).join(""));
  // The machine to prove from resolves the host's name itself, so that is an address.
  const blocks = { first, last, prover, [host.ipv4]: host };
  const jumps: Readonly<Record<string, string>> = { last: "first", [host.ipv4]: "last" };
  ssh.configure(
    Object.entries(blocks)
      .flatMap(([name, { ipv4 }]) => [
        ...[
          `Host ${name}`,
          `  HostName ${ipv4}`,
          `  HostKeyAlias ${ipv4}`,
          "  User root",
          `  IdentityFile ${key}`,
        ],
        ...(jumps[name] === undefined ? [] : [`  ProxyJump ${jumps[name]}`]),
      ])
      .join("\n"),
  );
  vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(line));
});
afterAll(async () => {
  vi.restoreAllMocks();
  ssh?.close();
  await lab?.close();
});

const seed = { key: "Zq3vX0nB8tLr5yKd2wHs7mPc4fGj9aUeR1oTiV6bEyM" };
const sequence = { steps: [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }] };
const token = { token: { udp: 62_201 } };

/** A policy whose door is closed again when the next machine is dialled by something else. */
function policyOf(name: string, knock: object): Policy {
  const users = "token" in knock ? { users: [{ name: "ada", ...seed }] } : {};
  const gates = [{ name: "ssh", protect: [{ tcp: "22" }], knock, openForSeconds: 2 }];
  return makePolicy({ name, gates, ...users, acceptRisks: ["window-too-short", "user-key-weak"] });
}

const openssh = { transport: "openssh", dialErrorLimit: 0, perDialTimeout: 5 } as const;

/** Gates a machine, and returns its profile. */
async function gateHop(at: LabHost, name: string, knock: object, word: string): Promise<Profile> {
  const policy = policyOf(name, knock);
  const { ipv4, sshPort } = at;
  await createGate({ connection: connectionTo(lab, at), policy: writePolicy(policy) });
  return makeProfile(name, { host: word === "address" ? ipv4 : word, port: sshPort, user: "root" }, policy);
}

test("two gated jump hosts and a gated machine to prove from are opened by their profiles", async () => {
  lines = [];
  const hopProfiles = [
    await gateHop(first, "a", sequence, "address"),
    await gateHop(last, "last", { steps: [...sequence.steps].reverse() }, "elsewhere.test"),
    await gateHop(prover, "c", token, "address"),
  ];
  await pause(2_500);
  for (const { ipv4 } of [first, last, prover]) {
    expect(await tryConnect("outside", ipv4, 22, 600)).toBe("silent");
  }
  const given = (more: object): Properties => ({
    connection: { ...openssh, host: host.ipv4 },
    proveFrom: { ...openssh, host: "prover" },
    policy: writePolicy(policyOf("edge", { steps: [{ tcp: 41_101 }, { udp: 52_102 }, { tcp: 33_103 }] })),
    ...more,
  });
  await expect(createGate(given({ hopProfiles: hopProfiles.slice(0, 2) }))).rejects.toThrow(
    /root@prover:22.*\[UNREACHABLE\]$/s,
  );
  await expect(createGate(given({ hopProfiles: hopProfiles.slice(1) }))).rejects.toThrow(
    /root@first:22.*\[UNREACHABLE\]$/s,
  );
  expect(await listGate(host)).toBe("");
  const { id, outs } = await createGate(given({ hopProfiles }));
  expect(lines.join("\n")).toMatch(/edge on .* through bastion root@last:22.*: 6\/6 confirm/);
  expect(lines.join("\n")).not.toMatch(/47001|58002|39003|Zq3vX0nB/);
  await pause(2_500);
  await remove(id, { ...outs });
  expect(await listGate(host)).toBe("");
});
