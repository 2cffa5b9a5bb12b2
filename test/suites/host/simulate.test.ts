import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "../../../lab/command";
import { type Lab, openLab } from "../../../lab/lab";
import { sendKnock, tryConnect } from "../../../lab/packets";
import { captureDuring } from "../../../lab/tcpdump";
import { readCounts } from "../../../src/backends/backends";
import { planLoad } from "../../../src/backends/load";
import { parsePcap } from "../../../src/diagnose/capture/pcap";
import { simulatePackets } from "../../../src/diagnose/simulate";
import { readPolicy } from "../../unit/policy/read-policy";

const steps = [{ tcp: 7411 }, { udp: 8522 }, { icmpPayloadBytes: 77 }, { tcp: 6633 }];
const policy = readPolicy({
  name: "edge",
  gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps, stepTimeoutSeconds: 2 } }],
});

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ hosts: 1 });
  const [host] = lab.hosts;
  await host?.run(["nft", "-f", "-"], { stdin: planLoad(policy, undefined, "127.0.0.1").text });
});
afterAll(() => lab?.close());

test.each([
  { family: "ipv4", on: "any", pauseMs: 2, seen: "open", reason: "open" },
  { family: "ipv6", on: "eth0", pauseMs: 2, seen: "open", reason: "open" },
  { family: "ipv4", on: "eth0", pauseMs: 2_200, seen: "silent", reason: "too-late" },
] as const)(
  "of a real knock over $family with pauses of $pauseMs ms, captured on $on, a simulation says $reason, as the kernel did",
  async ({ family, on, pauseMs, seen, reason }) => {
    const [host] = lab.hosts;
    if (host === undefined) throw new Error("expected a host");
    await host.run(["nft", "-f", "-"], {
      stdin: `delete table inet knockgate_edge\n${planLoad(policy, undefined, "127.0.0.1").text}`,
    });
    const file = join(lab.directory, `${family}-${on}-${pauseMs}.pcap`);
    await captureDuring(host, on, file, async () => {
      // After the first late step the outcome is decided.
      const sent = seen === "open" ? steps : steps.slice(0, 2);
      await sendKnock("outside", { to: host[family], steps: sent, pauseMs });
      expect(await tryConnect("outside", host[family], 22, seen === "open" ? 2_000 : 300)).toBe(seen);
    });

    const { packets, findings } = parsePcap(readFileSync(file));
    expect(findings).toEqual([]);
    const { host: found, verdicts } = simulatePackets(policy, packets);
    expect(found).toContain(host[family]);
    const own = verdicts.filter(({ source }) => source === lab.outside[family]);
    expect(own).toEqual([expect.objectContaining({ gate: "ssh", isOpen: seen === "open", reason })]);
    expect(own[0]?.text).toMatch(
      seen === "open"
        ? /^all 4 steps came; .*; a connection came through at /
        : /^step 2 came (?:[2-9]|\d\d)[\d.]* s after step 1; stepTimeout is 2 s$/,
    );
  },
);

test("a simulation leaves out packets of flows that the kernel takes for answered", async () => {
  const [host] = lab.hosts;
  if (host === undefined) throw new Error("expected a host");
  const knocks = { ping: [{ icmpPayloadBytes: 77 }], datagrams: [{ udp: 8522 }, { udp: 8523 }] };
  const flows = readPolicy({
    name: "edge",
    gates: Object.entries(knocks).map(([name, own], index) => {
      return { name, protect: [{ tcp: `${4_000 + index}` }], knock: { steps: own } };
    }),
  });
  await host.run(["nft", "-f", "-"], {
    stdin: `delete table inet knockgate_edge\n${planLoad(flows, undefined, "127.0.0.1").text}`,
  });
  const file = join(lab.directory, "flows.pcap");
  await captureDuring(host, "eth0", file, async () => {
    // One flow that is answered from its first packet on. Then two flows whose datagrams are all refused.
    await runCommand(["ping", "-c", "3", "-i", "0.2", "-s", "77", host.ipv4]);
    await sendKnock("outside", {
      to: host.ipv4,
      steps: [...knocks.datagrams, ...knocks.datagrams],
      sourcePort: 5_555,
    });
  });

  const listing = await host.run(["nft", "-j", "list", "counters", "table", "inet", "knockgate_edge"]);
  const counts = readCounts(listing.stdout, flows);
  const { trace } = simulatePackets(flows, parsePcap(readFileSync(file)).packets, { host: [host.ipv4] });
  for (const [gate, times] of [
    ["ping", 1],
    ["datagrams", 2],
  ] as const) {
    expect([gate, counts?.get(gate)?.opened]).toEqual([gate, times]);
    const opened = trace.filter(({ text }) => new RegExp(`${gate}: step [^:]*: the door is open`).test(text));
    expect([gate, opened.length]).toEqual([gate, times]);
  }
});
