import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { changeHost } from "../../src/apply/change";
import { type KnockCommands, writeKnockCommands } from "../../src/client/knock-commands";
import { writeSshConfig } from "../../src/client/ssh-config";
import { readWay, type Way } from "../../src/client/way";
import type { Policy, Step } from "../../src/policy/schema";
import type { LabHost } from "../lab/host";
import { type Lab, openLab } from "../lab/lab";
import { tryConnect } from "../lab/packets";
import { hideBehind } from "./bastions";
import { claimHost, connectionTo, deployTo, waitUntil } from "./deployment";
import { makePolicy } from "./policies";

const plain: readonly Step[] = [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }];
const sized: readonly Step[] = [
  { tcp: 47_101 },
  { udp: 58_102, udpPayloadBytes: 1_232 },
  { icmpPayloadBytes: 77 },
  { udp: 53 },
  { tcp: 39_103 },
];

/** Each tool has a gate of its own, so that no door is open by another's knock. */
const gates: readonly { tool: keyof KnockCommands; port: number; steps: readonly Step[] }[] = [
  { tool: "knock", port: 2_001, steps: plain },
  { tool: "nmap", port: 2_002, steps: sized },
  { tool: "bash", port: 2_003, steps: sized.toReversed() },
];

function makeGates(): Policy {
  const all = [{ tool: "ssh", port: 22, steps: [...sized.slice(1), { udp: 41_000 }] }, ...gates];
  return makePolicy({
    gates: all.map(({ tool, port, steps }) => ({
      name: tool,
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
  // What ssh takes by itself, for the host and for the bastion.
  const key = "mkdir -m 0700 /root/.ssh && umask 077 && cat >/root/.ssh/id_ed25519";
  await client.run(["sh", "-c", key], { stdin: lab.privateKey });
});
afterAll(() => lab?.close());

async function makeGated(): Promise<LabHost> {
  const host = claimHost(lab);
  const world = await deployTo(lab, host);
  await changeHost({ policy: makeGates(), owner: "me", undoAfterSeconds: 60 }, world);
  return host;
}

function wayTo(host: LabHost, address = host.ipv4): Way {
  return readWay({ ...connectionTo(lab, host), host: address, user: "plain" });
}

async function writeConfig(way: Way): Promise<void> {
  await client.run(["sh", "-c", "cat >/root/config"], { stdin: writeSshConfig("edge", way, makeGates()) });
}

/** Both ways by scp, and a command by ssh, with a block for a host called `edge`. */
async function useSshConfig(way: Way): Promise<{ shown: string; isWhole: boolean }> {
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
    host = await makeGated();
    // Behind the gate, as a firewall of the network might do it: nothing tells a client that its packet has arrived.
    await host.run(["nft", "-f", "-"], {
      stdin: "table inet mute {\n\tchain input {\n\t\ttype filter hook input priority 10\n\t}\n}\n",
    });
  });

  async function setAnswers(areSent: boolean): Promise<void> {
    const drop =
      "add rule inet mute input meta nfproto ipv6 meta l4proto { tcp, udp } drop; add rule inet mute input icmpv6 type echo-request drop";
    await host.run(["nft", areSent ? "flush table inet mute" : drop]);
  }

  test.each(gates)(
    "opens a gate by $tool over IPv4, and over IPv6 where no step is answered",
    async ({ tool, port, steps }) => {
      for (const address of [host.ipv4, host.ipv6]) {
        const command = writeKnockCommands(steps, wayTo(host, address))[tool];
        expect(await tryConnect(client, address, port, 700)).toBe("silent");
        await setAnswers(address === host.ipv4);
        await client.run(["sh", "-c", command ?? "exit 1"]);
        await setAnswers(true);
        expect(await tryConnect(client, address, port, 2_000)).toBe("refused");
      }
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
  let way: Way;
  beforeAll(async () => {
    bastion = claimHost(lab);
    host = await makeGated();
    await hideBehind(bastion, host);
    way = { ...wayTo(host), proxy: wayTo(bastion) };
  });

  test("bash knocks from there, and no list of its processes shows a port", async () => {
    const sampler = bastion.spawn(["sh", "-c", "while :; do cat /proc/[0-9]*/cmdline 2>/dev/null; done"]);
    let sample = "";
    sampler.stdout.setEncoding("latin1").on("data", (text: string) => {
      sample += text;
    });
    const { bash, ...others } = writeKnockCommands(plain, way);
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
