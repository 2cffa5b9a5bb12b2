import { describe, expect, test } from "vitest";
import { findPrecedingRules } from "../../../../src/backends/iptables/preceding-rules";

const jump = "-A INPUT ! -i lo -j kg_edge";

function front(ipv4: readonly string[], ipv6: readonly string[]): string {
  return ["# ipv4", ...ipv4, "# ipv6", ...ipv6, ""].join("\n");
}

describe("rules before the jump of a gate", () => {
  test.each([
    "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT",
    "-A INPUT -j DROP",
    "-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd",
    "-A INPUT -g theirs",
    "-A INPUT ! -i lo -j ACCEPT",
    "-A INPUT -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT",
    "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-A INPUT -m state --state ESTABLISHED -j ACCEPT",
    "-A INPUT -m conntrack ! --ctstate RELATED,ESTABLISHED -j ACCEPT",
  ])("%s: is found, in its family", (rule) => {
    expect(findPrecedingRules(front([rule, jump], [jump]), "edge")).toEqual([{ family: "ipv4", rule }]);
    expect(findPrecedingRules(front([jump], [rule, jump]), "edge")).toEqual([{ family: "ipv6", rule }]);
  });

  test.each([
    "-A INPUT ! -i lo -j kg_web",
    "-A INPUT -p tcp -m tcp --dport 22",
    '-A INPUT -m limit --limit 5/min -j LOG --log-prefix "seen "',
    "-A INPUT -i lo -j ACCEPT",
  ])("%s: decides nothing that a gate would decide", (rule) => {
    expect(findPrecedingRules(front([rule, jump], [rule, jump]), "edge")).toEqual([]);
  });

  test("are not all rules when the jump is gone, or belongs to another policy", () => {
    const rule = "-A INPUT -j DROP";
    expect(findPrecedingRules(front([rule], [rule, "-A INPUT ! -i lo -j kg_edge-2"]), "edge")).toEqual([]);
    expect(findPrecedingRules("", "edge")).toEqual([]);
  });
});
