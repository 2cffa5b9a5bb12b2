import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import { KnockgateError } from "../../../src/errors";
import { writePolicy } from "../../../src/policy/written-policy";
import { createGate } from "./create-gate";
import { claimHost, connectionTo, openDeployment } from "./deployment";
import { makePolicy, oldSteps } from "./policies";

vi.setConfig({ maxConcurrency: 20 });

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ hosts: 9 });
});
afterAll(() => lab?.close());

const secrets = /47001|58002|39003/;

/** Tries to bring a policy to a host while the network loses packets to some of its ports. */
async function failToProve(
  host: LabHost,
  ports: readonly number[],
  backend: "nftables" | "iptables",
  address: string,
) {
  const context = await openDeployment({ ...connectionTo(lab, host), host: address });
  const swallowed = await Promise.all(ports.map((port) => lab.swallow({ to: host, protocol: "any", port })));
  const error = await changeHost(
    { policy: makePolicy({ backend }), owner: "me", undoAfterSeconds: 60 },
    context,
  ).then(
    () => new KnockgateError("HOST_FAILED", "it did not fail"),
    (cause: KnockgateError) => cause,
  );
  await Promise.all(swallowed.map(({ restore }) => restore()));
  return { error, lines: context.lines.join("\n") };
}

describe.concurrent.each(["nftables", "iptables"] as const)("a proof by %s that fails", (backend) => {
  test.each([
    ["saw no step of one more knock from", "ipv4", [47_001]],
    ["saw step 1 of 3 of one more knock from", "ipv4", [58_002]],
    ["saw step 2 of 3 of one more knock from", "ipv6", [39_003]],
  ] as const)("says that the host %s this machine (%s)", async (said, family, ports) => {
    const host = claimHost(lab);
    const { error, lines } = await failToProve(host, ports, backend, host[family]);
    expect(error.message).toContain(`The host ${said} ${lab.outside[family]}; step `);
    expect(error.message).toContain("The host has put back what it had before.");
    expect(lines).toMatch(/try 1 of 3: no fresh SSH connection came through: .*; the knock is sent again/);
    expect(error.message + lines).not.toMatch(secrets);
  });
});

describe.concurrent("where the door opens and another firewall drops the port", () => {
  test("the host is said to have seen all steps", async () => {
    const host = claimHost(lab);
    await host.run(["nft", "-f", "-"], {
      stdin: `table inet others {
chain input { type filter hook input priority 10; tcp dport 8443 drop
}
}\n`,
    });
    const web = { name: "web", protect: [{ tcp: "8443" }], knock: { steps: [...oldSteps].reverse() } };
    const policy = { name: "edge", gates: [...writePolicy(makePolicy()).gates, web], acceptRisks: [] };
    await expect(createGate({ connection: connectionTo(lab, host), policy })).rejects.toThrow(
      /gate web does not answer after 3 knocks\. The host saw all 3 steps of one more knock from \S+ and opened the gate/,
    );
  });
});

describe("a machine that was made just now", () => {
  test("may get its keys after its sshd answers: a refused login is tried again, and the log has each try", async () => {
    const host = claimHost(lab);
    const keys = "/etc/ssh/authorized_keys";
    await host.run(["mv", keys, `${keys}.later`]);
    const said = vi.spyOn(console, "log").mockReturnValue();
    const connection = connectionTo(lab, host, { dialErrorLimit: 3 });
    const creating = createGate({
      connection,
      policy: { name: "edge", gates: writePolicy(makePolicy()).gates },
    });
    setTimeout(() => host.run(["mv", `${keys}.later`, keys]), 3_000);
    await creating;
    const rounds = said.mock.calls
      .map(([line]) => `${line}`)
      .filter((line) => line.includes("1/6 connect: try "));
    expect(rounds).toEqual([
      expect.stringMatching(
        /^edge on \S+: 1\/6 connect: try 1 of 4 failed: .*it accepted none of the ways to log in.*\(a new machine may get its keys later\); the next in 6 s, for at most \d+ s more$/,
      ),
    ]);
    said.mockRestore();
  });
});

describe("a login by password", () => {
  test("is tried only once, on a new machine, too", async () => {
    const host = lab.hosts[0];
    if (host === undefined) throw new Error("no host");
    const { privateKey: _key, ...rest } = connectionTo(lab, host, { dialErrorLimit: 3 });
    const said = vi.spyOn(console, "log").mockReturnValue();
    const creating = createGate({
      connection: { ...rest, password: "wrong" },
      policy: { name: "edge", gates: writePolicy(makePolicy()).gates },
    });
    await expect(creating).rejects.toMatchObject({ code: "LOGIN_REFUSED" });
    expect(said.mock.calls.flat().join("\n")).not.toContain("1/6 connect: try ");
    said.mockRestore();
  });
});
