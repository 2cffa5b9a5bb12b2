import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { writeBashKnock } from "../../../../src/knock/clients/bash-knock";
import { visitAddresses } from "../../../../src/knock/clients/visit-addresses";
import { readStep } from "../../../../src/policy/step";

/** A stand-in for getent(1): it prints what glibc's prints for a name with two addresses. */
const getent =
  "getent() { for t in STREAM DGRAM RAW; do echo 2001:db8::7 $t edge.test; done; for t in STREAM DGRAM RAW; do echo 192.0.2.7 $t; done; }";

function visit(shell: string, before: string): string {
  const program = `${before}; ${visitAddresses("edge.test", 'echo "$h"')}; echo "last $h"`;
  return execFileSync(shell, ["-c", program, "knock", "edge.test"], { encoding: "utf8" });
}

describe("what is done for each address of a name", () => {
  test.each(["bash", "sh"])("is done once for each, in the resolver's order (%s)", (shell) => {
    expect(visit(shell, getent)).toBe("2001:db8::7\n192.0.2.7\nlast edge.test\n");
  });

  test.each(["bash", "sh"])("is done for the name where there is no getent (%s)", (shell) => {
    expect(visit(shell, "getent() { return 127; }")).toBe("edge.test\nlast edge.test\n");
  });

  test("is done once for an address, without a look-up", () => {
    const program = 'h=$1; { echo >"/dev/udp/$h/8522"; sleep .1; } >/dev/null 2>&1';
    for (const host of ["192.0.2.7", "2001:db8::7"])
      expect(writeBashKnock([{ kind: "udp", port: 8_522 }], host)).toBe(program);
  });

  test("can stand in single quotes, and in ssh_config, which takes percent signs and braces behind a dollar", () => {
    const steps = [{ tcp: 7_411 }, { icmpPayloadBytes: 9 }].map(readStep);
    expect(writeBashKnock(steps, "edge.test")).not.toMatch(/['\\%\n]|\$\{/);
  });
});
