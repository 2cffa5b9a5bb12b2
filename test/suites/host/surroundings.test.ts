import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { runCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import { claimHost, connectionTo, deployTo, openDeployment } from "./deployment";
import { listFiles } from "./inspection";
import { makePolicy, newSteps } from "./policies";

vi.setConfig({ maxConcurrency: 20 });

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ hosts: 5, shell: "busybox" });
});
afterAll(() => lab?.close());

const udp = { name: "vpn", protect: [{ udp: "51820" }], knock: { steps: [...newSteps] } };
const request = { owner: "me", undoAfterSeconds: 60 };

async function useVariant(host: LabHost, variant: "nft" | "legacy"): Promise<void> {
  for (const tool of ["iptables", "ip6tables"]) {
    for (const part of ["", "-save", "-restore"]) {
      await host.run(["ln", "-s", `/usr/sbin/${tool}-${variant}${part}`, `/usr/local/sbin/${tool}${part}`]);
    }
  }
}

/** The warnings of a change's first step. */
async function listWarnings(
  host: LabHost,
  policy: ReturnType<typeof makePolicy>,
): Promise<readonly string[]> {
  const context = await deployTo(lab, host);
  await changeHost({ policy, ...request }, context);
  return context.lines.flatMap((line) => / 1\/6 connect: warning: (.*)/.exec(line)?.[1] ?? []);
}

test.concurrent.each([
  { backend: "nftables", who: "needs both knocks" },
  { backend: "iptables", who: "the knock of second opens the port" },
] as const)(
  "a port that another policy of $backend on the host protects is named before anything is changed",
  async ({ backend, who }) => {
    const host = claimHost(lab);
    if (backend === "iptables") await useVariant(host, "nft");
    const web = { name: "web", protect: [{ tcp: "8080-8090" }], knock: { steps: [...newSteps] } };
    const first = makePolicy({ name: "first", backend, gates: [web], allowFrom: [lab.outside.ipv4] });
    const second = makePolicy({ name: "second", backend, gates: [web], allowFrom: [lab.outside.ipv4] });
    expect(await listWarnings(host, first)).toEqual([]);
    expect(await listWarnings(host, second)).toEqual([
      expect.stringMatching(
        new RegExp(`^TCP port 8080 of gate web is also protected by policy first .*${who}`),
      ),
    ]);
  },
);

test.concurrent.each(["nft", "legacy"] as const)(
  "a rule that keeps a gated UDP port from conntrack is named, by nft and by iptables-%s, and so is always sending SYN cookies",
  async (variant) => {
    const host = claimHost(lab);
    await useVariant(host, variant);
    await host.run([
      "iptables",
      "-t",
      "raw",
      "-A",
      "PREROUTING",
      "-p",
      "udp",
      "--dport",
      "51820",
      "-j",
      "NOTRACK",
    ]);
    await host.run(["nft", "-f", "-"], {
      stdin: `table inet fast { chain early { type filter hook prerouting priority raw; policy accept;
        udp dport { 53, 51820 } notrack
      }\n}\n`,
    });
    await host.run(["sh", "-c", "echo 2 >/proc/sys/net/ipv4/tcp_syncookies"]);
    const ssh = { name: "web", protect: [{ tcp: "8080" }], knock: { steps: [...newSteps] } };
    const found = await listWarnings(host, makePolicy({ gates: [udp, ssh], allowFrom: [lab.outside.ipv4] }));
    expect(found).toEqual([
      expect.stringMatching(/^chain inet fast early keeps UDP port 51820 of gate vpn from conntrack/),
      expect.stringMatching(
        /^iptables' chain raw PREROUTING keeps UDP port 51820 of gate vpn from conntrack/,
      ),
      expect.stringMatching(/^net\.ipv4\.tcp_syncookies is 2 on this host/),
    ]);
  },
);

test.concurrent("a deployer that comes from a link-local address is told so, and the host is left as it was", async () => {
  const host = claimHost(lab);
  const link = ["link", "add", "near", "type", "veth", "peer", "name", "near", "netns", String(host.pid)];
  await runCommand(["ip", ...link]);
  const enter = ["nsenter", "--target", String(host.pid), "--net", "--"];
  for (const [end, words] of [
    ["169.254.7.7/24", []],
    ["169.254.7.1/24", enter],
  ] as const) {
    await runCommand([...words, "ip", "address", "add", end, "dev", "near"]);
    await runCommand([...words, "ip", "link", "set", "near", "up"]);
  }
  const input = connectionTo(lab, host, { host: "169.254.7.1" });
  const policy = makePolicy();
  await expect(changeHost({ policy, ...request }, await openDeployment(input))).rejects.toMatchObject({
    code: "LOCKOUT",
    message: expect.stringContaining("from the link-local address 169.254.7.7"),
  });
  expect(await listFiles(host)).toEqual([]);
  const allowed = makePolicy({ allowFrom: ["169.254.7.7"] });
  await changeHost({ policy: allowed, ...request }, await openDeployment(input));
});
