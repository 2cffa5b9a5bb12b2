import { expect, test } from "vitest";
import { renderPolicy } from "../../../src/backends/render";
import type { Observed } from "../../../src/host/observed";
import { listSharedPorts } from "../../../src/host/shared-ports";
import type { PolicyInput } from "../../../src/policy/policy";
import { edge, readPolicy } from "../policy/read-policy";

const web = {
  name: "web",
  protect: [{ tcp: "8000-8010" }, { udp: "53" }],
  knock: { steps: [{ tcp: 35_000 }] },
};
const both = { ...edge, gates: [...edge.gates, web] };

/** The lines that the host's script picks out of another policy's ruleset. */
function pick(input: PolicyInput, backend: string): string {
  const lines = renderPolicy(readPolicy(input)).split("\n");
  const doors = lines.filter(
    (line) =>
      / goto \S*_door/.test(line) ||
      / -m recent --rcheck --seconds \d+ --name \S+_open --rsource -j /.test(line),
  );
  return [`policy ${input.name} ${backend}`, ...doors].join("\n");
}

function find(doors: string, input: PolicyInput): readonly string[] {
  const observed: Partial<Observed> = { doors };
  return listSharedPorts(observed as Observed, readPolicy(input));
}

test.each([
  ["nftables", "nftables", "input", "needs both knocks"],
  ["iptables", "iptables_filter", "input", "only the policy that was loaded last decides"],
  ["iptables", "iptables_mangle", "prerouting", "needs both knocks"],
] as const)(
  "ports that another policy of %s protects are named, with the policy that decides",
  (backend, kept, scope, who) => {
    const doors = pick({ ...both, name: "strict", backend, scope }, kept);
    expect(doors).not.toMatch(/4100|35000/);
    const found = find(doors, { ...both, backend, scope });
    expect(found).toHaveLength(3);
    for (const port of ["TCP port 22 of gate ssh", "TCP port 8000 of gate web", "UDP port 53 of gate web"]) {
      expect(found).toContainEqual(
        expect.stringMatching(new RegExp(`^${port} is also protected by policy strict .*${who}`)),
      );
    }
  },
);

test("a port that is in both ranges is shared, though the ranges differ", () => {
  const doors = pick(
    { ...edge, name: "other", gates: [{ ...web, protect: [{ tcp: "8010-8020" }] }] },
    "nftables",
  );
  expect(find(doors, both)).toEqual([expect.stringMatching(/^TCP port 8010 of gate web /)]);
});

test("iptables beside nftables needs both knocks: a drop of either is final", () => {
  const doors = pick({ ...edge, name: "other", backend: "iptables" }, "iptables_filter");
  expect(find(doors, edge)).toEqual([expect.stringContaining("needs both knocks")]);
});

test.each(["nftables", "iptables"] as const)(
  "other ports and other protocols of %s are ignored",
  (backend) => {
    const others = { ...web, protect: [{ tcp: "53" }, { udp: "22" }, { udp: "8000-8010" }] };
    const doors = pick({ ...edge, name: "other", backend, gates: [others] }, backend);
    expect([find(doors, both), find("", both)]).toEqual([[], []]);
  },
);
