import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderPolicy } from "../../../src/backends/render";
import { policyInput } from "../../unit/arbitraries";
import { isPossible } from "../../unit/policy/possible-policy";
import { readPolicy } from "../../unit/policy/read-policy";

const backends = ["nftables", "iptables"] as const;
type Backend = (typeof backends)[number];

const tools: Readonly<Record<Backend, readonly (readonly [string, string])[]>> = {
  nftables: [["nft", "-c -f -"]],
  iptables: [
    ["iptables-restore", "--test --noflush"],
    ["ip6tables-restore", "--test --noflush"],
  ],
};

const sampleSize = process.env["KNOCKGATE_DEEP"] === undefined ? 12 : 40;

describe.each(backends)("policies rendered for %s", (backend) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const texts = fc
    .sample(policyInput(), { numRuns: 10 * sampleSize, seed })
    .map((input) => {
      // Names short enough for iptables.
      const gates = input.gates.map((gate, index) => ({
        ...gate,
        name: `g${index}-${gate.name}`.slice(0, 12),
      }));
      return readPolicy({ ...input, gates, name: input.name.slice(0, 3), backend });
    })
    .filter(isPossible)
    .slice(0, sampleSize)
    .map((policy) => renderPolicy(policy));

  test.for(tools[backend])("are accepted by the host's own %s", ([tool, words], { skip }) => {
    expect(texts).toHaveLength(sampleSize);
    // One shell loads all texts, each in a file of its own: nft sends a file as one message, whose size is limited.
    const script = texts.map((text) => `${tool} ${words} <<'END'\n${pickFamily(text, tool)}END\n`).join("");
    const { error, status, stdout, stderr } = spawnSync(
      "unshare",
      ["--map-root-user", "--net", "sh", "-e", "-s"],
      {
        input: script,
        encoding: "utf8",
        env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
      },
    );
    const lacks = error?.message ?? /.*(?:not found|not permitted).*/.exec(stderr)?.[0];
    if (lacks !== undefined) {
      if (process.env["CI"]) throw new Error(`${tool} is needed here: ${lacks}`);
      console.log(`skipped: ${tool} could not be run: ${lacks}`);
      skip(`${tool} could not be run`);
    }
    expect({ seed, status, stdout, stderr }).toEqual({ seed, status: 0, stdout: "", stderr: "" });
  });
});

/** The part of a text that is for one of the tools of iptables. */
function pickFamily(text: string, tool: string): string {
  const [ipv4 = "", ipv6 = ""] = text.split("# ipv6\n");
  if (tool === "nft") return text;
  return tool === "iptables-restore" ? ipv4 : ipv6;
}
