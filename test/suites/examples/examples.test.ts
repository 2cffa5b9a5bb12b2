import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { OutputMap, Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { sendKnock, tryConnect } from "../../../lab/packets";
import { openStack } from "../../../lab/stack";
import { slotAt, tokenOf, userKey } from "../../../src/policy/token";
import { container, publishedPort, startContainer } from "../coexistence/container";
import { allowEcho, hideBehind } from "../host/bastions";
import { claimHost, waitUntil } from "../host/deployment";

const root = join(__dirname, "..", "..", "..");
const steps = [{ tcp: 7_411 }, { udp: 8_522 }, { tcp: 6_633 }];
const seed = "0123456789abcdef0123456789abcdef";
const silenceMs = 700;
const patienceMs = 2_000;

/** Engines mostly wait: for hosts, and for the silence of a closed gate. So many can run at the same time. */
vi.setConfig({ maxConcurrency: 3 });

let lab: Lab;
/** The machine of a person: no door is open to it before it knocks. */
let person: LabHost;

beforeAll(async () => {
  lab = await openLab({ hosts: 15 });
  person = claimHost(lab);
  const key = "mkdir -m 0700 /root/.ssh && umask 077 && cat >/root/.ssh/id_ed25519";
  await person.run(["sh", "-c", key], { stdin: lab.privateKey });
  // The engine looks here for a plugin that it does not have.
  vi.stubEnv("PATH", [join(__dirname, "bin"), process.env["PATH"]].join(delimiter));
  // The project's folder is made once.
  await openStack(lab.directory, async () => undefined, "none");
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await lab?.close();
});

type Settings = Readonly<Record<string, string>>;

/** A stack of an example's unmodified program, as `pulumi config` sets it up. */
async function openExample(name: string, to: LabHost, more: Settings = {}): Promise<Stack> {
  const stack = await openStack(
    lab.directory,
    () => {
      // Loads the program anew each time, as the engine does.
      vi.resetModules();
      return import(`../../../examples/${name}/index.ts`);
    },
    name,
  );
  await configure(stack, {
    host: to.ipv4,
    user: "ops",
    hostKey: to.hostKey,
    privateKey: lab.privateKey,
    ...more,
  });
  return stack;
}

function configure(stack: Stack, settings: Settings): Promise<void> {
  const secret = ["privateKey", "steps", "knocks", "knockSeed"];
  return stack.setAllConfig(
    Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [key, { value, secret: secret.includes(key) }]),
    ),
  );
}

/** The commands that a person finds in `pulumi stack output --show-secrets knock`. */
function readCommand(outputs: OutputMap, tool: "knock" | "nmap" | "bash", gate = 0): string {
  expect(outputs["knock"]?.secret).toBe(true);
  return outputs["knock"]?.value[gate].commands[tool];
}

/** Logs in with the block that `pulumi stack output --show-secrets sshConfig` prints. */
async function logIn(outputs: OutputMap, name: string): Promise<string> {
  expect(outputs["sshConfig"]?.secret).toBe(true);
  const file = `/root/.ssh/${name}`;
  await person.run(["sh", "-c", `cat >${file}`], { stdin: outputs["sshConfig"]?.value });
  return (await person.run(["ssh", "-F", file, name, "hostname"])).stdout.trim();
}

/** Tells whether nothing of a gate is left. iptables leaves its own empty chains. */
async function isClean(host: LabHost): Promise<boolean> {
  const { stdout } = await host.run(["sh", "-c", "nft list ruleset; ls /var/lib"]);
  return !/knockgate|kg_/.test(stdout);
}

/** The client's commands from docs/getting-started.md, without ssh itself, for this host and this knock. */
function readKnock(address: string): string {
  const started = readFileSync(join(root, "docs", "getting-started.md"), "utf8");
  const commands = /```sh\n(HOST=[\s\S]*?)ssh ops/.exec(started)?.[1] ?? "exit 1";
  return commands.replace(/^HOST=.*/, `HOST=${address}`).concat("true"); // a refused step is no failure
}

test.concurrent("sequence gates a host that pulumi config names, and the documented client opens it", async () => {
  const host = claimHost(lab);
  const stack = await openExample("sequence", host, { host: host.ipv6, steps: JSON.stringify(steps) });
  const { outputs, summary } = await stack.up();
  expect(summary.resourceChanges).toEqual({ create: 3 });
  expect(outputs["knock"]).toMatchObject({ secret: true, value: [{ gate: "ssh", steps }] });
  // The deployer came by IPv6, so its knock opened no door for IPv4.
  expect(await tryConnect("outside", host.ipv4, 22, silenceMs)).toBe("silent");
  execFileSync("bash", ["-c", readKnock(host.ipv4)], { stdio: "ignore" });
  expect(await tryConnect("outside", host.ipv4, 22, patienceMs)).toBe("open");
  await stack.destroy();
  expect(await isClean(host)).toBe(true);
});

/** Sends a token as docs/tokens.md describes it: of a slot that the deployer has not used a moment ago. Returns it. */
async function sendToken(
  to: LabHost,
  policy: string,
  gate: string,
  user: string,
  port: number,
): Promise<string> {
  const key = userKey({ seed, policy, user });
  const slot = slotAt(Date.now(), 60) + 10;
  const payload = tokenOf(key, { policy, gate, host: to.ipv4, slot });
  await sendKnock("outside", { to: to.ipv4, steps: [{ udp: port, payload }] });
  return payload;
}

test.concurrent("single-host lets in the first user by ssh, and the second by a token of their own, once", async () => {
  const host = claimHost(lab);
  const stack = await openExample("single-host", host, { knockSeed: seed });
  const { outputs, summary } = await stack.up();
  expect(summary.resourceChanges).toEqual({ create: 3 });
  expect(await tryConnect(person, host.ipv4, 22, silenceMs)).toBe("silent");
  expect(await logIn(outputs, "edge")).toBe(host.name);
  await host.run(["nft", "flush", "set", "inet", "knockgate_edge", "ssh_open_v4"]);
  const payload = await sendToken(host, "edge", "ssh", "ben", 62_201);
  expect(await tryConnect("outside", host.ipv4, 22, patienceMs)).toBe("open");
  await host.run(["nft", "flush", "set", "inet", "knockgate_edge", "ssh_open_v4"]);
  await sendKnock("outside", { to: host.ipv4, steps: [{ udp: 62_201, payload }] });
  expect(await tryConnect("outside", host.ipv4, 22, silenceMs)).toBe("silent");
  await stack.destroy();
  // What remembers which slots were used stays, so that no token is good again.
  expect(await host.ruleset()).not.toContain("knockgate");
});

test.concurrent("team lets three people in, each by a token of their own, and takes one away", async () => {
  const host = claimHost(lab);
  const stack = await openExample("team", host, { knockSeed: seed });
  const { outputs } = await stack.up();
  expect(await logIn(outputs, "edge")).toBe(host.name);
  expect(outputs["profiles"]).toMatchObject({
    secret: true,
    value: {
      ben: {
        name: "edge-ben",
        gates: [{ user: "ben", key: userKey({ seed, policy: "edge", user: "ben" }) }],
      },
    },
  });
  const people = { deployer: 1, ada: 1 };
  await stack.setConfig("people", { value: JSON.stringify(people) });
  await stack.up();
  await sendToken(host, "edge", "ssh", "ben", 62_201);
  expect(await tryConnect("outside", host.ipv4, 22, silenceMs)).toBe("silent");
  await sendToken(host, "edge", "ssh", "ada", 62_201);
  expect(await tryConnect("outside", host.ipv4, 22, patienceMs)).toBe("open");
  await stack.destroy();
  // What remembers which slots were used stays, so that no token is good again.
  expect(await host.ruleset()).not.toContain("knockgate");
});

test.concurrent("wireguard hides WireGuard's port behind a token", async () => {
  const host = claimHost(lab);
  const stack = await openExample("wireguard", host, { knockSeed: seed });
  await stack.up();
  await sendToken(host, "vpn", "wg", "laptop", 443);
  const { stdout } = await host.run(["nft", "list", "set", "inet", "knockgate_vpn", "wg_open_v4"]);
  expect(stdout).toMatch(/elements = \{ [\d.]+ timeout 1m/);
  await stack.destroy();
  // What remembers which slots were used stays, so that no token is good again.
  expect(await host.ruleset()).not.toContain("knockgate");
});

test.concurrent("fleet-canary gates its canary first, stops there when it is not healthy, and rotates by one number", async () => {
  const hosts = [claimHost(lab), claimHost(lab), claimHost(lab)] as const;
  const [canary, a] = hosts;
  const names = ["canary", "a", "b"];
  const named = hosts.map(({ ipv4, hostKey }, index) => [names[index], { host: ipv4, hostKey }]);
  const stack = await openExample("fleet-canary", canary, {
    hosts: JSON.stringify(Object.fromEntries(named)),
    knockSeed: "0123456789abcdef0123456789abcdef",
  });
  const first = await stack.up();
  expect(first.stdout).toMatch(
    /wave 1 of 3: 1 changed[\s\S]*wave 2 of 3: 1 changed[\s\S]*wave 3 of 3: 1 changed/,
  );
  for (const { ipv4 } of hosts) expect(await tryConnect(person, ipv4, 22, silenceMs)).toBe("silent");
  expect(await logIn(first.outputs, "web-canary")).toBe(canary.name);
  await canary.run(["touch", "/run/unwell"]);
  await stack.setConfig("generation", { value: "2" });
  await expect(stack.up()).rejects.toThrow(
    /1 of 1 hosts failed \(maxFailures is 0\): canary\. No host of a later wave/,
  );
  await canary.run(["rm", "/run/unwell"]);
  const { outputs } = await stack.up();
  expect(outputs["sshConfig"]?.value).not.toBe(first.outputs["sshConfig"]?.value);
  expect(await logIn(outputs, "web-a")).toBe(a.name);
  await stack.destroy();
  for (const host of hosts) expect(await isClean(host)).toBe(true);
});

test.concurrent("tcp-udp-icmp draws a knock of all three protocols, opens only to the whole sequence, and counts", async () => {
  const host = claimHost(lab);
  const stack = await openExample("tcp-udp-icmp", host, { knockSeed: "0123456789abcdef0123456789abcdef" });
  const { outputs } = await stack.up();
  const drawn: object[] = outputs["knock"]?.value[0].steps;
  const kinds = new Set(drawn.flatMap((step) => Object.keys(step)));
  expect([...kinds].sort()).toEqual(["icmpPayloadBytes", "tcp", "udp"]);
  expect(await tryConnect(person, host.ipv4, 22, silenceMs)).toBe("silent");
  await sendKnock(person, { to: host.ipv4, steps: drawn.slice(1) as typeof steps });
  expect(await tryConnect(person, host.ipv4, 22, silenceMs)).toBe("silent");
  // The incomplete sequence from before does not count as a beginning.
  expect(await logIn(outputs, "edge")).toBe(host.name);
  expect(outputs["counters"]?.value).toEqual({});
  expect((await stack.refresh()).summary.resourceChanges).toEqual({ same: 3 });
  const counted = (await stack.up()).outputs["counters"];
  expect(counted).toEqual({
    secret: false,
    value: {
      ssh: {
        accepted: expect.any(Number),
        dropped: expect.any(Number),
        opened: expect.any(Number),
        reset: 0,
      },
    },
  });
  expect(counted?.value.ssh.dropped).toBeGreaterThanOrEqual(2);
  await stack.destroy();
  expect(await isClean(host)).toBe(true);
});

test.concurrent("container-host gates a port that a container engine publishes", async () => {
  const engine = claimHost(lab);
  await startContainer(engine);
  await waitUntil("the container's server", 10_000, async () => {
    return (await tryConnect(engine, container.ipv4, 80, 300).catch(() => "silent")) === "open";
  });
  expect(await tryConnect(person, engine.ipv4, publishedPort, patienceMs)).toBe("open");
  const stack = await openExample("container-host", engine, { steps: JSON.stringify(steps) });
  const { outputs } = await stack.up();
  expect(await tryConnect(person, engine.ipv4, publishedPort, silenceMs)).toBe("silent");
  await person.run(["sh", "-c", readCommand(outputs, "knock")]);
  const page = [
    "busybox",
    "wget",
    "-q",
    "-O",
    "/dev/null",
    "-S",
    `http://${engine.ipv4}:${publishedPort}/lastlog`,
  ];
  expect((await person.run(page, { check: false })).stderr).toContain("HTTP/1.");
  await stack.destroy();
  expect(await tryConnect(person, engine.ipv4, publishedPort, patienceMs)).toBe("open");
});

test.concurrent("bastion gates a host that takes packets only from the bastion, and lets people through from there", async () => {
  const [bastion, hidden] = [claimHost(lab), claimHost(lab)];
  await Promise.all([allowEcho(bastion), hideBehind(bastion, hidden)]);
  const before = await hidden.ruleset();
  const knock = [...steps, { icmpPayloadBytes: 77 }];
  const login = { bastion: bastion.ipv4, bastionUser: "plain", bastionHostKey: bastion.hostKey };
  const stack = await openExample("bastion", hidden, { steps: JSON.stringify(knock), ...login });
  const { outputs, stdout } = await stack.up();
  expect(stdout).toContain(
    `inner on ${hidden.ipv4}:22 through bastion plain@${bastion.ipv4}:22: 6/6 confirm`,
  );
  await hidden.run(["nft", "flush", "set", "inet", "knockgate_inner", "ssh_open_v4"]);
  expect(await tryConnect(bastion, hidden.ipv4, 22, silenceMs)).toBe("silent");
  expect(await logIn(outputs, "inner")).toBe(hidden.name);
  expect((await stack.preview()).changeSummary).toEqual({ same: 3 });
  await stack.destroy();
  const withoutCounts = (text: string) => text.replace(/packets \d+ bytes \d+/g, "");
  expect(withoutCounts(await hidden.ruleset())).toBe(withoutCounts(before));
});

test.concurrent("original-recipe opens SSH by TCP port 1000 for 5 seconds, and established connections go on", async () => {
  const host = claimHost(lab);
  const stack = await openExample("original-recipe", host);
  const { outputs } = await stack.up();
  expect(await tryConnect(person, host.ipv4, 22, silenceMs)).toBe("silent");
  await person.run(["sh", "-c", `${readCommand(outputs, "bash")}; ${readCommand(outputs, "knock")}`]);
  const session = person.run([
    ...["ssh", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", `ops@${host.ipv4}`],
    "sleep 6; echo still here",
  ]);
  await waitUntil("the session", 5_000, async () => host.sshdLog().includes(`for ops from ${person.ipv4}`));
  await waitUntil("the door is closed", 10_000, async () => {
    return (await tryConnect(person, host.ipv4, 22, silenceMs)) === "silent";
  });
  expect((await session).stdout).toBe("still here\n");
  await stack.destroy();
  expect(await isClean(host)).toBe(true);
});

// @pulumi/command's own plugin is not available everywhere that the tests run. Its classes and the engine are real.
test.concurrent("guarded-commands changes a gated host by resources of @pulumi/command (a stand-in for its plugin)", async () => {
  const host = claimHost(lab);
  const shut = async () => {
    await host.run(["nft", "flush", "set", "inet", "knockgate_edge", "ssh_open_v4"]);
    expect(await tryConnect("outside", host.ipv4, 22, silenceMs)).toBe("silent");
  };
  const stack = await openExample("guarded-commands", host, { steps: JSON.stringify(steps), motd: "first" });
  const { outputs, summary } = await stack.up();
  expect(summary.resourceChanges).toEqual({ create: 5 });
  expect(outputs["kernel"]?.value).toBe((await host.run(["cat", "/tmp/kernel"])).stdout.trim());
  await shut();
  await stack.setConfig("motd", { value: "second" });
  expect((await stack.up()).summary.resourceChanges).toEqual({ same: 4, update: 1 });
  expect((await host.run(["cat", "/tmp/motd"])).stdout).toBe("second\n");
  await shut();
  await stack.destroy({ runProgram: true });
  expect((await host.run(["ls", "/tmp"])).stdout).toBe("motd\n");
  expect(await isClean(host)).toBe(true);
});

test.concurrent("shared-policy is the same policy from YAML and from JSON, each gate with a knock of its own", async () => {
  const host = claimHost(lab);
  const knocks = { ssh: steps, admin: [{ udp: 9_411 }, { tcp: 5_522 }, { udp: 4_633 }] };
  const stack = await openExample("shared-policy", host, { knocks: JSON.stringify(knocks) });
  const { outputs } = await stack.up();
  await stack.setConfig("policyFile", { value: "policy.json" });
  expect((await stack.preview()).changeSummary).toEqual({ same: 3 });
  for (const [gate, ports] of [[22], [8_443, 8_444]].entries()) {
    for (const port of ports) expect(await tryConnect(person, host.ipv4, port, silenceMs)).toBe("silent");
    await person.run(["sh", "-c", readCommand(outputs, "nmap", gate)]);
    for (const port of ports)
      expect(await tryConnect(person, host.ipv4, port, patienceMs)).not.toBe("silent");
  }
  await stack.setConfig("knocks", { value: JSON.stringify({ ssh: steps }), secret: true });
  await expect(stack.preview()).rejects.toThrow(/policy\.gates\[1\]\.knock\.steps/);
  await stack.destroy();
  expect(await isClean(host)).toBe(true);
});
