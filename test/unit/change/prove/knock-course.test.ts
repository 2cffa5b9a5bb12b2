import { describe, expect, test } from "vitest";
import { backendOf, backends } from "../../../../src/backends/backends";
import { describeCourse, nameTakenSet } from "../../../../src/change/prove/knock-course";
import { makePolicy } from "../../../suites/host/policies";

describe("asking a host how far a knock came", () => {
  test.each([
    ["nftables", 1, "198.51.100.7", "ssh_step1_v4", "198.51.100.7"],
    ["nftables", 3, "2001:db8::7", "ssh_open_v6", "2001:db8::7"],
    ["iptables", 2, "198.51.100.7", "kg_edge_ssh_step2", "198.51.100.7"],
    ["iptables", 3, "2001:db8::7", "kg_edge_ssh_open", "2001:0db8:0000:0000:0000:0000:0000:0007"],
    ["iptables", 1, "::1", "kg_edge_ssh_step1", "0000:0000:0000:0000:0000:0000:0000:0001"],
    ["iptables", 1, "fd77:1:2:3:4:5:6:7", "kg_edge_ssh_step1", "fd77:0001:0002:0003:0004:0005:0006:0007"],
  ] as const)("names the set of %s for step %d from %s", (backend, position, source, set, written) => {
    const policy = makePolicy({ backend });
    expect(nameTakenSet(policy, { gate: "ssh", position, of: 3 }, source)).toBe(set);
    expect(backendOf(policy).writeSource(source)).toBe(written);
  });

  test.each([
    ["nftables", "4s984ms", 4_984],
    ["nftables", "1m2s3ms", 62_003],
    ["nftables", "1h", 3_600_000],
    ["iptables", "4295012345", 4_295_012_345],
  ] as const)(
    "reads what %s says, %s, as a number that grows with how fresh it is",
    (backend, said, number) => {
      expect(backends[backend].readFreshness(said)).toBe(number);
    },
  );

  test("claims no more than was seen", () => {
    expect(describeCourse(0, 3, "192.0.2.9")).toContain(
      "saw no step of one more knock from 192.0.2.9; step 1 did not",
    );
    expect(describeCourse(2, 3, "192.0.2.9")).toContain(
      "saw step 2 of 3 of one more knock from 192.0.2.9; step 3 did not",
    );
    expect(describeCourse(3, 3, "192.0.2.9")).toContain("saw all 3 steps");
  });
});
