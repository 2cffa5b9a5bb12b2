import { writeFileSync } from "node:fs";
import { KnockFleet } from "knockgate";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { tryConnect } from "../../../lab/packets";
import { openStack } from "../../../lab/stack";
import { type Agent, startAgent } from "../host/agents";
import { type Authority, makeAuthority } from "../host/authority";
import { countStrangers, hideBehind } from "../host/bastions";
import { installSsh, type TestSsh } from "../host/openssh-client";

const size = 20;
const steps = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 6633 }];

let lab: Lab;
let ssh: TestSsh;
let agent: Agent;
let authority: Authority;
let first: LabHost;
let last: LabHost;
let hosts: readonly LabHost[];
const agentBefore = process.env["SSH_AUTH_SOCK"];

const nameOf = (index: number) => `web-${`${index + 1}`.padStart(2, "0")}`;

beforeAll(async () => {
  lab = await openLab({ hosts: size + 2 });
  [first, last] = lab.hosts.slice(0, 2) as [LabHost, LabHost];
  hosts = lab.hosts.slice(2);
  authority = await makeAuthority(lab.directory);
  for (const host of lab.hosts) await authority.adopt(host);
  for (const host of hosts) await hideBehind(last, host);
  agent = await startAgent(lab.directory);
  process.env["SSH_AUTH_SOCK"] = agent.socket;
  ssh = installSsh(lab.directory);
  const block = (name: string, host: LabHost, jumps: string) =>
    `Host ${name}\n  HostName ${host.ipv4}\n  User root\n  ${jumps}\n`;
  ssh.configure(
    [
      block("first", first, ""),
      block("last", last, ""),
      ...hosts.map((host, index) => block(nameOf(index), host, "ProxyJump first,last")),
    ].join("\n"),
  );
  writeFileSync(ssh.knownHosts, `${authority.knownHostsLine}\n`);
}, 120_000);
afterAll(async () => {
  ssh?.close();
  if (agentBefore === undefined) delete process.env["SSH_AUTH_SOCK"];
  else process.env["SSH_AUTH_SOCK"] = agentBefore;
  await agent?.close();
  await lab?.close();
});

/** Nothing but aliases: no key, no user, no port, no bastion, no host key. */
async function program(pauseBetweenSeconds = 0) {
  const names = hosts.map((_host, index) => nameOf(index));
  const fleet = new KnockFleet("web", {
    hosts: Object.fromEntries(names.map((name) => [name, { connection: { host: name } }])),
    connection: { transport: "openssh", dialErrorLimit: 0 },
    policy: { name: "edge", gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }] },
    rollout: { waves: [{ count: 2 }, { percent: 100 }], pauseBetweenSeconds },
  });
  return { summary: fleet.summary };
}

test("a fleet behind two jump hosts, known by an authority alone, is rolled out by aliases", async () => {
  await agent.add(await authority.certify(["root"]));
  let printed = "";
  const listen = { color: "never", onOutput: (text: string) => (printed += text) } as const;
  const stack = await openStack(lab.directory, () => program());
  const { outputs } = await stack.up(listen).catch((error: unknown) => {
    throw new Error(printed, { cause: error });
  });
  const results = outputs["summary"]?.value.flatMap((wave: { hosts: { result: string }[] }) => wave.hosts);
  expect(results.map(({ result }: { result: string }) => result)).toEqual(hosts.map(() => "changed"));
  for (const host of hosts) {
    expect(await host.ruleset()).toContain("table inet knockgate_edge");
    expect(await countStrangers(host)).toBe(0);
  }
  // The door that the rollout's last knock opened closes by itself.
  await expect
    .poll(() => tryConnect(last, hosts[0]?.ipv4 ?? "", 22, 1_000), { timeout: 60_000 })
    .toBe("silent");
  await stack.refresh(listen);
  await stack.destroy(listen);
  for (const host of hosts) expect(await host.ruleset()).not.toContain("knockgate_edge");
}, 1_200_000);

test("a certificate that ends in mid-rollout fails the rest, and no host is left half changed", async () => {
  await agent.close();
  agent = await startAgent(lab.directory);
  process.env["SSH_AUTH_SOCK"] = agent.socket;
  await agent.add(await authority.certify(["root"], "-5m:+40s"));
  let printed = "";
  const listen = { color: "never", onOutput: (text: string) => (printed += text) } as const;
  // The first wave is changed long before the certificate ends, and the second one begins when it has.
  let pauseSeconds = 45;
  const stack = await openStack(lab.directory, () => program(pauseSeconds));
  await expect(stack.up(listen)).rejects.toThrow();
  expect(printed).toMatch(/LOGIN_REFUSED|Permission denied/);
  const gated = await Promise.all(
    hosts.map(async (host) => (await host.ruleset()).includes("knockgate_edge")),
  );
  expect(gated).toEqual(hosts.map((_host, index) => index < 2));
  await agent.add(await authority.certify(["root"]));
  pauseSeconds = 0;
  await stack.up(listen);
  for (const host of hosts) expect(await host.ruleset()).toContain("table inet knockgate_edge");
}, 1_200_000);
