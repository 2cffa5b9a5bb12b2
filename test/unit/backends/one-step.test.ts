import { describe, expect, test } from "vitest";
import { listFamilyLines } from "../../../src/backends/iptables/render";
import { renderPolicy } from "../../../src/backends/render";
import type { StepInput } from "../../../src/policy/step";
import { readPolicy } from "../policy/read-policy";

function render(backend: "nftables" | "iptables", ...knocks: readonly (readonly StepInput[])[]): string {
  const gates = knocks.map((steps, index) => {
    return { name: `gate${index}`, protect: [{ tcp: `${100 + index}` }], knock: { steps: [...steps] } };
  });
  const text = renderPolicy(readPolicy({ name: "edge", gates, backend }));
  return backend === "nftables" ? text : listFamilyLines(text, "ipv4").join("\n");
}

function count(text: string, words: RegExp): number {
  return [...text.matchAll(words)].length;
}

describe.each(["nftables", "iptables"] as const)("a policy of one gate with one step, on %s", (backend) => {
  test("tests a TCP port once", () => {
    expect(count(render(backend, [{ tcp: 7_411 }]), /\b7411\b/g)).toBe(1);
  });

  test.each<readonly [string, StepInput, RegExp]>([
    ["a UDP port", { udp: 7_411 }, /\b7411\b/g],
    ["the size of an echo request", { icmpPayloadBytes: 411 }, /\b(411|419|439)\b/g],
  ])("tests %s only on the way to the gate, and not in its chain", (_, step, words) => {
    const text = render(backend, [step]);
    expect(count(text, words)).toBeGreaterThan(0);
    const chain =
      backend === "nftables" ? /chain gate0_first_step \{[\s\S]*?\n\t\}/g : /^-A kg_edge_gate0_first .*$/gm;
    expect(count((text.match(chain) ?? []).join("\n"), words)).toBe(0);
  });

  test("tests a UDP payload's size in the gate's chain, because the way there does not", () => {
    const text = render(backend, [{ udp: 7_411, udpPayloadBytes: 833 }]);
    const chain =
      backend === "nftables" ? /chain gate0_first_step \{[\s\S]*?\n\t\}/g : /^-A kg_edge_gate0_first .*$/gm;
    const size = backend === "nftables" ? /\b(833|841)\b/g : /\b861\b/g;
    expect(count((text.match(chain) ?? []).join("\n"), size)).toBeGreaterThan(0);
  });
});

test.each(["nftables", "iptables"] as const)(
  "two gates of one step have a chain for first steps, on %s",
  (backend) => {
    const text = render(backend, [{ tcp: 7_411 }], [{ tcp: 7_522 }]);
    expect(text).toMatch(backend === "nftables" ? /goto first_steps/ : /-g kg_edge_first$/m);
  },
);
