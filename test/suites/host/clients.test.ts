import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { tryConnect } from "../../../lab/packets";
import { changeHost } from "../../../src/change/change";
import { type KnockCommands, writeKnockCommands } from "../../../src/knock/clients/knock-commands";
import { writeSshConfig } from "../../../src/knock/clients/ssh-config";
import { readSshEndpoint, type SshEndpoint } from "../../../src/knock/clients/ssh-endpoint";
import type { Policy } from "../../../src/policy/policy";
import { readStep, type StepInput } from "../../../src/policy/step";
import { hideBehind } from "./bastions";
import { claimHost, connectionTo, deployTo, waitUntil } from "./deployment";
import { makePolicy } from "./policies";

const plain: readonly StepInput[] = [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }];
const sized: readonly StepInput[] = [
  { tcp: 47_101 },
  { udp: 58_102, udpPayloadBytes: 1_232 },
  { icmpPayloadBytes: 77 },
  { udp: 53 },
  { tcp: 39_103 },
];

const echoes: readonly StepInput[] = [
  { icmpPayloadBytes: 401 },
  { icmpPayloadBytes: 0 },
  { icmpPayloadBytes: 1_232 },
];

interface Try {
  readonly tool: keyof KnockCommands;
  readonly what?: string;
  /** Different for each gate, so that no other knock opens it. */
  readonly steps: readonly StepInput[];
  /** The programs behind the names `nc`, `sh` and `ping`. */
  readonly by?: Readonly<Record<string, string>>;
  /** Default: IPv6, too. */
  readonly isIpv4Only?: boolean;
}

const busybox = { sh: "/usr/bin/busybox", ping: "/usr/bin/busybox" };
const openbsd = { sh: "/usr/bin/dash", nc: "/usr/bin/nc.openbsd" };
const traditional = { nc: "/usr/bin/nc.traditional" };
const tcpAndEchoes = sized.filter(({ udp }) => udp === undefined);
const tries: readonly (Try & { readonly port: number })[] = [
  { tool: "knock" as const, what: "of knockd", steps: plain },
  { tool: "nmap" as const, what: "as root", steps: sized },
  { tool: "bash" as const, what: "and ping", steps: sized.toReversed() },
  { tool: "netcat" as const, what: "OpenBSD's", steps: [...sized, { tcp: 31_004 }], by: openbsd },
  {
    tool: "netcat" as const,
    what: "the old one",
    steps: [...sized, { tcp: 31_005 }],
    by: traditional,
    isIpv4Only: true,
  },
  {
    tool: "netcat" as const,
    what: "ncat",
    steps: [...sized, { tcp: 31_006 }],
    by: { nc: "/usr/bin/ncat", ...busybox },
  },
  {
    tool: "netcat" as const,
    what: "busybox",
    steps: tcpAndEchoes,
    by: { nc: "/usr/bin/busybox", ...busybox },
  },
  { tool: "ping" as const, what: "iputils", steps: echoes },
  { tool: "ping" as const, what: "busybox", steps: echoes.toReversed(), by: busybox },
].map((it, index) => ({ ...it, port: 2_001 + index }));

/**
 * A tool that gets no processor within half a second is ended before it has sent its packet. So a client runs with
 * priority over the other tests, and tries again.
 */
const mostTries = 3;

function makeGates(of = tries): Policy {
  const all = [{ tool: "ssh", port: 22, steps: [...sized.slice(1), { udp: 41_000 }] }, ...of];
  return makePolicy({
    gates: all.map(({ tool, port, steps }) => ({
      name: `${tool}-${port}`,
      protect: [{ tcp: `${port}` }],
      knock: { steps: [...steps] },
      openForSeconds: 30,
    })),
  });
}

let lab: Lab;
let client: LabHost;
beforeAll(async () => {
  lab = await openLab({ hosts: 4 });
  client = claimHost(lab);
  // The key that ssh takes by default, for the host and for the bastion.
  const key = "mkdir -m 0700 /root/.ssh && umask 077 && cat >/root/.ssh/id_ed25519";
  await client.run(["sh", "-c", key], { stdin: lab.privateKey });
});
afterAll(() => lab?.close());

async function makeGated(policy: Policy): Promise<LabHost> {
  const host = claimHost(lab);
  const context = await deployTo(lab, host);
  await changeHost({ policy, owner: "me", undoAfterSeconds: 60 }, context);
  return host;
}

function wayTo(host: LabHost, address = host.ipv4): SshEndpoint {
  return readSshEndpoint({ ...connectionTo(lab, host), host: address, user: "plain" });
}

async function writeConfig(way: SshEndpoint): Promise<void> {
  await client.run(["sh", "-c", "cat >/root/config"], { stdin: writeSshConfig("edge", way, makeGates()) });
}

/** Copies by scp in both directions, and runs a command by ssh, with a block for a host called `edge`. */
async function useSshConfig(way: SshEndpoint): Promise<{ shown: string; isWhole: boolean }> {
  await writeConfig(way);
  const copy = [
    "set -e",
    "head -c 300000 /dev/urandom >/root/sent",
    "scp -q -F /root/config /root/sent edge:sent",
    "scp -q -F /root/config edge:sent /root/received",
  ];
  await client.run(["sh", "-c", copy.join("\n")]);
  const { stdout } = await client.run(["ssh", "-F", "/root/config", "edge", "hostname; id -un"]);
  const { code } = await client.run(["cmp", "/root/sent", "/root/received"], { check: false });
  return { shown: stdout, isWhole: code === 0 };
}

describe("what a person is given to knock with", () => {
  let host: LabHost;
  beforeAll(async () => {
    host = await makeGated(makeGates());
    // A service at a step's port that accepts a connection and waits for input.
    host.spawn(["nc.openbsd", "-lk", "47101"]);
    // Drops behind the gate, as a firewall of the network might: nothing tells a client that its packet has arrived.
    await host.run(["nft", "-f", "-"], {
      stdin: "table inet mute {\n\tchain input {\n\t\ttype filter hook input priority 10\n\t}\n}\n",
    });
  });

  async function setAnswers(areSent: boolean): Promise<void> {
    const drop =
      "add rule inet mute input meta nfproto ipv6 meta l4proto { tcp, udp } drop; add rule inet mute input icmpv6 type echo-request drop";
    await host.run(["nft", areSent ? "flush table inet mute" : drop]);
  }

  /** Makes a folder with links to programs: busybox acts by the name that it is called by. */
  async function gatherPrograms(by: Readonly<Record<string, string>>): Promise<string> {
    const folder = `/root/${Object.values(by).join("").replaceAll("/", "_")}`;
    const links = Object.entries(by).map(([name, path]) => `ln -s ${path} ${folder}/${name}`);
    await client.run(["sh", "-c", [`mkdir ${folder}`, ...links].join(" && ")]);
    return folder;
  }

  test.each(tries)(
    "opens a gate by $tool, $what, over IPv4, and over IPv6 without an answer to any step",
    async ({ tool, port, steps, by = {}, isIpv4Only = false }: (typeof tries)[number]) => {
      const path = `PATH=${await gatherPrograms({ ...by, port: `/${port}` })}:/usr/bin:/bin`;
      for (const address of isIpv4Only ? [host.ipv4] : [host.ipv4, host.ipv6]) {
        const command = writeKnockCommands(steps.map(readStep), wayTo(host, address))[tool];
        expect(await tryConnect(client, address, port, 700)).toBe("silent");
        // As `... | jq -r ... | sh` runs it, in a shell that does not read ahead: the next line must not go to the
        // tool.
        const stdin = `${path}; ${command ?? "exit 1"}\necho read on\n`;
        let answer = "silent";
        for (let tries = 0; tries < mostTries && answer === "silent"; tries += 1) {
          await setAnswers(address === host.ipv4);
          const { stdout } = await client.run(["nice", "-n", "-15", "bash"], { stdin });
          await setAnswers(true);
          answer = await tryConnect(client, address, port, 2_000);
          expect(stdout).toMatch(/read on\n$/);
        }
        expect(answer).toBe("refused");
      }
    },
  );

  test.each(["dash", "bash", "busybox"])(
    "says in %s which tool is missing, before it sends anything",
    async (shell) => {
      const folder = await gatherPrograms({ sh: `/usr/bin/${shell}`, nc: "/usr/bin/nc.openbsd" });
      const command = `PATH=${folder}; ${writeKnockCommands(sized.map(readStep), wayTo(host)).netcat}`;
      const { code, stdout, stderr } = await client.run(["sh", "-c", command], { check: false });
      expect([code, stdout, stderr]).toEqual([127, "", "ping: not found\n"]);
    },
  );

  test("lets ssh and scp through by a block of ssh_config, by a name and over IPv6", async () => {
    await client.run(["sh", "-c", "cat >>/etc/hosts"], { stdin: `${host.ipv4} gated.example\n` });
    for (const [name, address] of [
      ["gated.example", host.ipv4],
      [host.ipv6, host.ipv6],
    ] as const) {
      expect(await tryConnect(client, address, 22, 700)).toBe("silent");
      expect(await useSshConfig(wayTo(host, name))).toEqual({ shown: "host2\nplain\n", isWhole: true });
    }
  });

  test("trusts no host with another key than the pinned one, whatever known_hosts says", async () => {
    const known = `${host.ipv4} ${host.hostKey}\n`;
    await client.run(["sh", "-c", "cat >/root/.ssh/known_hosts"], { stdin: known });
    await writeConfig({ ...wayTo(host), hostKey: client.hostKey });
    await expect(client.run(["ssh", "-F", "/root/config", "edge", "true"])).rejects.toThrow(
      /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    );
  });

  test("leaves no connection behind when ssh is killed", async () => {
    await writeConfig(wayTo(host));
    const ssh = client.spawn(["ssh", "-F", "/root/config", "edge", "echo in; sleep 600"]);
    await once(ssh.stdout, "data");
    const count = async () =>
      (await client.run(["ss", "-Htn", "dst", host.ipv4])).stdout.split("\n").length - 1;
    expect(await count()).toBe(1);
    ssh.kill("SIGKILL");
    await waitUntil("the connection is closed", 10_000, async () => (await count()) === 0);
  });
});

describe("for a host behind a bastion", () => {
  let bastion: LabHost;
  let host: LabHost;
  let way: SshEndpoint;
  beforeAll(async () => {
    bastion = claimHost(lab);
    host = await makeGated(makeGates(tries.slice(0, 1)));
    await hideBehind(bastion, host);
    way = { ...wayTo(host), proxy: wayTo(bastion) };
  });

  test("bash knocks from there, and no list of its processes shows a port", async () => {
    const sampler = bastion.spawn(["sh", "-c", "while :; do cat /proc/[0-9]*/cmdline 2>/dev/null; done"]);
    let sample = "";
    sampler.stdout.setEncoding("latin1").on("data", (text: string) => {
      sample += text;
    });
    const { bash, ...others } = writeKnockCommands(plain.map(readStep), way);
    expect(others).toEqual({});
    await client.run(["sh", "-c", bash ?? "exit 1"]);
    sampler.kill("SIGKILL");
    expect(await tryConnect(bastion, host.ipv4, 2_001, 2_000)).toBe("refused");
    expect(sample).toContain(`bash\0-s\0--\0${host.ipv4}`);
    expect(sample).not.toMatch(/47001|58002|39003/);
  });

  test("a block of ssh_config leads there over IPv6", async () => {
    expect(await tryConnect(bastion, host.ipv6, 22, 700)).toBe("silent");
    expect(await useSshConfig({ ...way, host: host.ipv6 })).toMatchObject({ isWhole: true });
  });
});
