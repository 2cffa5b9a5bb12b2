import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CommandResult, commandEnvironment, runCommand } from "../../../lab/command";
import { renderPolicy } from "../../../src/backends/render";
import type { PolicyInput } from "../../../src/policy/policy";
import { readPolicy } from "../../unit/policy/read-policy";

const folder = join(__dirname, "..", "..", "golden");
const isInstalled = (tool: string) =>
  spawnSync(tool, ["--version"], { env: commandEnvironment }).error === undefined;
const hasNft = isInstalled("nft");
if (!hasNft) console.warn("skipped: nft's own check of rulesets, because there is no nft");

describe.runIf(hasNft || process.env["CI"] !== undefined)("nft itself", () => {
  test.concurrent.each(readdirSync(folder))("would load the golden ruleset %s", async (name) => {
    expect(await checkRuleset(join(folder, name, "nftables.nft"))).toEqual({
      stdout: "",
      stderr: "",
      code: 0,
    });
  });

  test("would load a policy whose names are all words of nft's language", async () => {
    const words = [
      ...[
        "accept",
        "add",
        "chain",
        "comment",
        "counter",
        "ct",
        "delete",
        "drop",
        "dynamic",
        "element",
        "flags",
      ],
      ...[
        "flush",
        "goto",
        "hook",
        "icmp",
        "icmpv6",
        "iif",
        "input",
        "inet",
        "ip",
        "ip6",
        "jump",
        "limit",
        "log",
      ],
      ...[
        "meta",
        "new",
        "output",
        "policy",
        "priority",
        "queue",
        "return",
        "rule",
        "set",
        "size",
        "sport",
        "table",
      ],
      ...[
        "tcp",
        "th",
        "timeout",
        "type",
        "udp",
        "update",
        "vmap",
        "beginning",
        "a",
        "e1",
        "b0",
        "s-5s",
        "x--1-",
      ],
    ];
    const gates = words.map((name, index) => {
      return { name, protect: [{ tcp: `${index + 1}` }], knock: { steps: [{ tcp: 7_000 }, { tcp: 7_000 }] } };
    });
    expect(await checkRuleset("-", { name: "table", gates })).toEqual({ stdout: "", stderr: "", code: 0 });
  });

  test("would load a policy of many gates with sixteen steps each, and a long allowFrom", async () => {
    const steps = Array.from({ length: 16 }, (_, index) => ({ tcp: 7_000 + (index >> 1) }));
    const gates = Array.from({ length: 60 }, (_, index) => {
      return {
        name: `gate${index}`,
        protect: [{ tcp: `${index + 1}` }, { udp: `${index + 1}` }],
        knock: { steps },
      };
    });
    const allowFrom = Array.from({ length: 400 }, (_, index) => {
      return index % 2 === 0
        ? `10.${index % 256}.0.0/${16 + (index % 3)}`
        : `2001:db8:${index.toString(16)}::/48`;
    });
    expect(await checkRuleset("-", { name: "wide", gates, allowFrom })).toEqual({
      stdout: "",
      stderr: "",
      code: 0,
    });
  });
});

describe.each(["nft", "legacy"])("iptables-%s-restore itself", (variant) => {
  const has = isInstalled(`iptables-${variant}-restore`);
  if (!has) console.warn(`skipped: the check of rulesets by iptables-${variant}-restore, which is not there`);
  const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, "iptables.rules")));
  test.runIf(has || process.env["CI"] !== undefined).concurrent.each(names)(
    "would load the golden rules %s, of both families",
    async (name) => {
      const [, ipv4 = "", ipv6 = ""] = readFileSync(join(folder, name, "iptables.rules"), "utf8").split(
        /^# ipv[46]\n/m,
      );
      for (const [family, stdin] of [["ip", ipv4] as const, ["ip6", ipv6] as const]) {
        expect(stdin).toContain("COMMIT\n");
        const restore = [`${family}tables-${variant}-restore`, "--noflush", "--test", "-w", "10"];
        const result = await runCommand(["unshare", "--net", ...restore], { stdin, check: false });
        expect(result).toEqual({ stdout: "", stderr: "", code: 0 });
      }
    },
  );
});

/** `nft -c` also checks against the kernel's tables, so it runs in an empty network namespace. */
function checkRuleset(file: string, policy?: PolicyInput): Promise<CommandResult> {
  const stdin = policy === undefined ? "" : renderPolicy(readPolicy(policy));
  return runCommand(["unshare", "--net", "nft", "-c", "-f", file], {
    stdin,
    check: false,
  });
}
