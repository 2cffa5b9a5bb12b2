import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderNftables } from "../../../src/backends/nftables/render";
import { redactListing, redactPorts, renderRedacted } from "../../../src/backends/redact";
import { lowerForBackend } from "../../../src/backends/render";
import { stepsOf } from "../../../src/policy/knock";
import type { Policy } from "../../../src/policy/policy";
import { portOf, type StepInput } from "../../../src/policy/step";
import { policyInput } from "../arbitraries";
import { edge, readPolicy } from "../policy/read-policy";
import { runs } from "../runs";

/** One policy in eight has 16 gates or more, because such a one takes as long as many small ones. */
const often = runs(50);

const policy = readPolicy(edge);
const rendered = renderNftables(lowerForBackend(policy));

describe("a redacted ruleset", () => {
  test("shows all except the ports of steps, with a label in place of each", () => {
    const redacted = renderRedacted(policy, "key");
    const labels = listLabels(redacted);
    expect(labels).toHaveLength(3);
    const ports = new Map([41_001, 41_002, 41_003].map((port, index) => [`${port}`, labels[index] ?? ""]));
    expect(redacted).toBe(rendered.replace(/41\d{3}/g, (port) => ports.get(port) ?? "?"));
    expect(labels.map((label) => label.replace(/:.*/, ""))).toEqual(["<ssh-1", "<ssh-2", "<ssh-3"]);
  });

  test("is the same each time", () => {
    expect(renderRedacted(policy, "key")).toBe(renderRedacted(readPolicy(structuredClone(edge)), "key"));
  });

  test("has other labels under another key", () => {
    const [one, other] = [labelsOf(policy, "key"), labelsOf(policy, "other key")];
    expect(one.filter((label) => other.includes(label))).toEqual([]);
  });

  test("changes the label of the step that changes, and no other", () => {
    const before = labelsOf(policy, "key");
    const after = labelsOf(withSteps([{ tcp: 41_001 }, { tcp: 41_999 }, { tcp: 41_003 }]), "key");
    expect(after.map((label, index) => label === before[index])).toEqual([true, false, true]);
  });

  test("changes a step's label with its protocol", () => {
    const after = labelsOf(withSteps([{ tcp: 41_001 }, { udp: 41_002 }, { tcp: 41_003 }]), "key");
    expect(after.map((label, index) => label === labelsOf(policy, "key")[index])).toEqual([
      true,
      false,
      true,
    ]);
  });

  test("has the labels of earlier releases, so that an upgrade shows no difference", () => {
    const one = (step: StepInput) => [...new Set(labelsOf(withSteps([step]), "key"))];
    expect(one({ tcp: 41_001 })).toEqual(["<ssh-1:eb0918>"]);
    expect(one({ udp: 41_002 })).toEqual(["<ssh-1:21fbb3>"]);
    expect(one({ udp: 41_002, udpPayloadBytes: 9 })).toEqual(["<ssh-1-size:8be9b5>", "<ssh-1:4b7dd2>"]);
    expect(one({ icmpPayloadBytes: 77 })).toEqual(["<ssh-1-size:b77985>"]);
  });

  test("does not tell that two steps have the same port", () => {
    const labels = labelsOf(withSteps([{ tcp: 41_001 }, { tcp: 41_002 }, { tcp: 41_001 }]), "key");
    const digests = labels.map((label) => label.replace(/^.*:/, ""));
    expect(new Set(digests).size).toBe(3);
  });

  test("does not tell that two gates have the same knock", () => {
    const gate = edge.gates[0];
    if (gate === undefined) throw new Error("no gate");
    const two = readPolicy({ ...edge, gates: [gate, { ...gate, name: "web", protect: [{ tcp: "80" }] }] });
    const digests = labelsOf(two, "key").map((label) => label.replace(/^.*:/, ""));
    expect(new Set(digests).size).toBe(6);
  });

  test.each([
    ["nftables", [41_002]],
    ["nftables", []],
    ["iptables", [41_002]],
    ["iptables", []],
  ] as const)(
    "for %s does not tell that gates begin with the same step, and then with %j",
    (backend, rest) => {
      const show = (...first: readonly number[]) => {
        const gates = first.map((port, index) => {
          const steps = [port, ...rest].map((tcp) => ({ tcp }));
          return { name: `gate${index}`, protect: [{ tcp: `${22 + index}` }], knock: { steps } };
        });
        return renderRedacted(readPolicy({ name: "edge", backend, gates }), "key").replace(/:\w{6}>/g, ">");
      };
      const many = Array.from({ length: 16 }, (_, index) => 41_100 + index);
      expect(show(41_001, 41_001)).toBe(show(41_001, 41_003));
      expect(show(41_001, 41_001, 41_001)).toBe(show(41_001, 41_003, 41_005));
      expect(show(...many.with(3, 41_100))).toBe(show(...many));
    },
  );

  test("holds no step's port, whatever the policy", () => {
    fc.assert(
      fc.property(policyInput(), fc.string(), (input, key) => {
        const read = readPolicy(input);
        const numbers = new Set(withoutTimes(renderRedacted(read, key)).match(/(?<![\w:.])\d+(?![\w:.])/g));
        for (const port of portsOf(read)) expect(numbers).not.toContain(`${port}`);
      }),
      often,
    );
  });

  test("has as many lines as the ruleset, and differs only in those with a step's port", () => {
    fc.assert(
      fc.property(policyInput(), (input) => {
        const read = readPolicy(input);
        const lines = renderNftables(lowerForBackend(read)).split("\n");
        const redacted = renderRedacted(read, "key").split("\n");
        expect(redacted).toHaveLength(lines.length);
        for (const [index, line] of redacted.entries()) {
          if (!/<[^>]+-\d+(-size)?:[0-9a-f]{6}>/.test(line)) expect(line).toBe(lines[index]);
        }
      }),
      often,
    );
  });
});

describe("a redacted listing", () => {
  test("of our own text is the redacted ruleset", () => {
    fc.assert(
      fc.property(policyInput(), (input) => {
        const read = readPolicy(input);
        const text = renderNftables(lowerForBackend(read));
        expect(redactListing(text, read, "key")).toBe(renderRedacted(read, "key"));
      }),
      often,
    );
  });

  test("hides a step's port on any other line, and shows the rest of it", () => {
    const drifted = rendered
      .replace("tcp dport 41002 ip saddr", "tcp dport { 41002, 4100 } ip saddr")
      .replace('\t\tcounter name "ssh_dropped" drop\n', "$&\t\ttcp dport 41003 accept\n");
    const lines = redactListing(drifted, policy, "key").split("\n");
    expect(lines).toContain("\t\ttcp dport <secret> accept");
    expect(lines.some((line) => line.startsWith("\t\ttcp dport { <secret>, 4100 } ip saddr"))).toBe(true);
    expect(lines.join("\n")).not.toMatch(/\b4100[123]\b/);
    expect(lines.filter((line) => !renderRedacted(policy, "key").split("\n").includes(line))).toHaveLength(2);
  });
});

describe("a redacted message", () => {
  test.each([
    ["tcp dport 41001 accept", "tcp dport <secret> accept"],
    ["41001", "<secret>"],
    ["{ 41001, 41002-41003 }", "{ <secret>, <secret>-<secret> }"],
    ["192.0.2.1:41001: refused", "192.0.2.1:<secret>: refused"],
    ["[2001:db8::1]:41001", "[2001:db8::1]:<secret>"],
    ["tcp/41001", "tcp/<secret>"],
    ["port=41001;", "port=<secret>;"],
    ['"41001"', '"<secret>"'],
    ["near 41001\nand 41002", "near <secret>\nand <secret>"],
    ["it was 41001, not 41002", "it was <secret>, not <secret>"],
    ["The host refused port 41001.", "The host refused port <secret>."],
    ["The host refused port 41001... again", "The host refused port <secret>... again"],
  ])("hides the ports in %j", (text, redacted) => {
    expect(redactPorts(text, policy)).toBe(redacted);
  });

  test.each([
    ...[
      "tcp dport 22 accept",
      "41004",
      "4100",
      "410011",
      "1.41001.2",
      "v41001",
      "41001s",
      "41001ms",
      "0x41001",
    ],
    ...["", "nothing"],
  ])("leaves %j as it is", (text) => {
    expect(redactPorts(text, policy)).toBe(text);
  });
});

function withSteps(steps: readonly StepInput[]): Policy {
  return readPolicy({
    ...edge,
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [...steps] } }],
  });
}

function labelsOf(read: Policy, key: string): readonly string[] {
  return listLabels(renderRedacted(read, key));
}

/** Each label once, sorted: the text begins with the last step's rule. */
function listLabels(text: string): readonly string[] {
  return [...new Set(text.match(/<[^>]+>/g))].sort();
}

function portsOf(read: Policy): readonly number[] {
  return read.gates.flatMap((gate) => stepsOf(gate).flatMap((step) => portOf(step) ?? []));
}

/** Times and sizes of sets are not secret, and may be the same number as a port. */
function withoutTimes(text: string): string {
  return text.replace(/timeout \d+s|size \d+|burst \d+/g, "");
}
