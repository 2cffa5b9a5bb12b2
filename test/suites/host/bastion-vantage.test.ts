import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { readStep } from "../../../src/policy/step";
import { findProber } from "../../../src/ssh/prober";
import { allowEcho, connectionThrough, countStrangers, hideBehind } from "./bastions";
import { claimHost, connectionTo, readConnection } from "./deployment";

const steps = [
  { tcp: 47_001 },
  { udp: 58_002, udpPayloadBytes: 9 },
  { icmpPayloadBytes: 77 },
  { tcp: 7_022 },
  { udp: 58_003 },
].map(readStep);

/** Counts each step with its port and size, if it comes from that machine. */
const countSteps = (from: LabHost) => `
table inet steps {
	counter syn {}
	counter sized {}
	counter echo {}
	counter answered {}
	counter empty {}
	chain input {
		type filter hook input priority -300
		ip saddr != ${from.ipv4} return
		tcp dport 47001 counter name syn drop
		udp dport 58002 udp length 17 counter name sized
		icmp type echo-request ip length 105 counter name echo
		tcp dport 7022 tcp flags syn counter name answered
		udp dport 58003 udp length 8 counter name empty
	}
}
`;

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent("another machine", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 9 });
  });
  afterAll(() => lab?.close());

  const read = readConnection;

  test.each(["itself", "a bastion"])(
    "reached by %s sends each step once, and knows its own address",
    async (way) => {
      const [bastion, machine, host] = [claimHost(lab), claimHost(lab), claimHost(lab)];
      await Promise.all([allowEcho(machine), hideBehind(machine, host)]);
      await host.run(["nft", "-f", "-"], { stdin: countSteps(machine) });
      const from =
        way === "itself"
          ? connectionTo(lab, machine, { user: "plain" })
          : { ...connectionThrough(lab, bastion, machine), user: "plain" };
      const prober = await findProber(await read(from), host.ipv4, steps, "proveFrom");
      expect([prober.address, prober.name]).toEqual([
        machine.ipv4,
        `plain@${machine.ipv4}:22${way === "itself" ? "" : ` through bastion plain@${bastion.ipv4}:22`}`,
      ]);
      await prober.knock(steps);
      // The kernel would send a SYN without an answer again after 1 s (RFC 6298, 2.1), and once more after 3 s.
      await new Promise((resolve) => setTimeout(resolve, 3_500));
      const { stdout } = await host.run(["nft", "list", "counters", "table", "inet", "steps"]);
      expect(
        [...stdout.matchAll(/counter (\w+) \{\s+packets (\d+)/g)].map(([, name, packets]) => [name, packets]),
      ).toEqual(["syn", "sized", "echo", "answered", "empty"].map((name) => [name, "1"]));
      prober.close();
      expect(await countStrangers(host)).toBe(0);
    },
  );

  test("tells a port that is open from one that refuses and one that is silent, all at once", async () => {
    const [machine, host] = [claimHost(lab), claimHost(lab)];
    await hideBehind(machine, host);
    await host.run(["nft", "-f", "-"], { stdin: countSteps(machine) });
    const prober = await findProber(
      await read(connectionTo(lab, machine, { user: "plain" })),
      host.ipv4,
      [],
      "proveFrom",
    );
    const answers = [22, 7_002, 47_001].map((port) => prober.probePort(port, 1_000));
    expect(await Promise.all(answers)).toEqual(["open", "refused", "silent"]);
    expect(await prober.probePort(22, 1_000)).toBe("open");
    prober.close();
    await expect(prober.probePort(22, 1_000)).rejects.toMatchObject({ code: "UNREACHABLE" });
  });

  test("that can't send a step says the number of the step, and not the step itself", async () => {
    const machine = claimHost(lab);
    const prober = await findProber(await read(connectionTo(lab, machine)), machine.ipv4, [], "proveFrom");
    await machine.run(["nft", "-f", "-"], {
      stdin:
        "table ip stop { chain output { type filter hook output priority 0; udp dport 58002 reject with icmp type admin-prohibited; }\n}\n",
    });
    const failure: Error = await prober.knock(steps).then(
      () => new Error("it was sent"),
      (error) => error,
    );
    expect(failure).toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringMatching(/: step 2 of the knock could not be sent: Operation not permitted/),
    });
    expect(`${failure.stack}`).not.toContain("58002");
    prober.close();
  });
});
