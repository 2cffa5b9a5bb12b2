import { describe, expect, test } from "vitest";
import { findGate, firstPort, isAllowed } from "../../../src/policy/gate";
import { readPolicy } from "./read-policy";

const steps = [{ tcp: 41_001 }];
const policy = readPolicy({
  name: "edge",
  gates: [
    { name: "dns", protect: [{ udp: "53" }], knock: { steps } },
    { name: "ssh", protect: [{ udp: "60000-61000" }, { tcp: "22" }, { tcp: "2200" }], knock: { steps } },
    { name: "web", protect: [{ tcp: "8000-8010" }], knock: { steps } },
  ],
  allowFrom: ["192.0.2.0/24", "2001:db8::/32"],
});

describe("the gate of a TCP port", () => {
  test.each([
    [22, "ssh"],
    [2_200, "ssh"],
    [8_000, "web"],
    [8_010, "web"],
    [8_011, undefined],
    [53, undefined],
    [60_500, undefined],
    [41_001, undefined],
  ])("of %i is %s", (port, name) => {
    expect(findGate(policy, port)?.name).toBe(name);
  });
});

describe("the first TCP port of a gate", () => {
  test.each([
    ["dns", undefined],
    ["ssh", 22],
    ["web", 8_000],
  ])("of %s is %s", (name, port) => {
    const gate = policy.gates.find((each) => each.name === name);
    expect(gate && firstPort(gate, "tcp")).toBe(port);
  });
});

describe("a source", () => {
  test.each([
    ["192.0.2.255", true],
    ["192.0.3.1", false],
    ["2001:db8::1", true],
    ["2001:db9::1", false],
    ["::ffff:192.0.2.1", true],
  ])("at %s never needs to knock: %s", (address, expected) => {
    expect(isAllowed(policy, address)).toBe(expected);
  });

  test("always needs to knock where nobody is allowed", () => {
    expect(isAllowed({ ...policy, allowFrom: [] }, "192.0.2.1")).toBe(false);
  });
});
