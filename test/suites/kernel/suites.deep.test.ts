import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CommandResult } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { nameOnHost } from "../../../src/backends/backends";
import { planLoad } from "../../../src/backends/load";
import { renderPolicy } from "../../../src/backends/render";
import { checkPreflight } from "../../../src/change/preflight";
import { isUnchanged, type Observed } from "../../../src/host/observed";
import { observeHost } from "../../../src/host/script/observe";
import { commandProgram, stageProgram } from "../../../src/host/script/program";
import { digestText } from "../../../src/policy/digest";
import type { Policy, PolicyInput } from "../../../src/policy/policy";
import type { Program } from "../../../src/ssh/host";
import { readPolicy } from "../../unit/policy/read-policy";
import { writeProgram } from "../host/write-program";

const folder = join(__dirname, "..", "..", "golden");
const suites = [
  ["bullseye", "bullseye"],
  ["bookworm", "systemd"],
  ["trixie", "trixie"],
  ["sid", "sid"],
] as const;
/** Makes another policy from each policy, with new sets, chains and counters. */
const extra = {
  name: "extra",
  protect: [{ tcp: "65001" }],
  knock: { steps: [{ tcp: 64_001 }, { udp: 64_003 }] },
};

describe.each(suites)("the tools of Debian's %s", (_, suite) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 1, suite });
  });
  afterAll(() => lab?.close());
  const host = () => {
    const [first] = lab.hosts;
    if (first === undefined) throw new Error("no host");
    return first;
  };

  describe.each(["nftables", "iptables"] as const)("and the backend %s", (backend) => {
    const files = { nftables: "nftables.nft", iptables: "iptables.rules" };
    const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, files[backend])));

    test.each(names)("check, load, list, undo and replace the golden ruleset %s", async (name) => {
      const input: PolicyInput = {
        ...JSON.parse(readFileSync(join(folder, name, "policy.json"), "utf8")),
        backend,
      };
      const policy = readPolicy(input);
      const wider = readPolicy({ ...input, gates: [...input.gates, extra] });
      const ask = (...words: string[]) =>
        run(host(), commandProgram([words[0] ?? "", policy.name, ...words.slice(1)]));

      const empty = await observe(host(), policy);
      expect(() => checkPreflight(empty)).not.toThrow();
      await stage(host(), policy, "first", empty);
      for (const command of [
        ["arm", "first"],
        ["load", "first"],
        ["confirm", "first"],
      ])
        await ask(...command);
      const gated = await observe(host(), policy);
      expect(isUnchanged(gated)).toBe(true);
      expect(gated.loaded?.isUndescribed).toBeUndefined();

      // With an open door, because an undo keeps it.
      if (backend === "nftables") {
        const set = ["inet", `knockgate_${policy.name}`, `${policy.gates[0]?.name}_open_v4`];
        await host().run(["nft", "add", "element", ...set, "{ 192.0.2.77 timeout 600s }"]);
      }
      expect(await stage(host(), wider, "second", gated)).toBe("refill");
      for (const command of [
        ["arm", "second"],
        ["load", "second"],
      ])
        await ask(...command);
      expect(isUnchanged(await observe(host(), policy))).toBe(false);
      expect((await ask("undo", "second", "a test")).stdout).toContain("undo=undone");
      expect(isUnchanged(await observe(host(), policy))).toBe(true);
      if (backend === "nftables") {
        expect(await host().ruleset()).toContain("192.0.2.77");
        await host().run(["nft", "flush", "ruleset"]);
        await host().run(["sh", `/var/lib/knockgate/${policy.name}/host.sh`, "boot", policy.name]);
        expect(isUnchanged(await observe(host(), policy))).toBe(true);
      }
      expect((await ask("remove", "me", nameOnHost(policy))).stdout).toContain("removed=yes");
      expect((await observe(host(), policy)).loaded).toBeUndefined();
    });
  });
});

/** Stages a ruleset as a change does. */
async function stage(host: LabHost, policy: Policy, id: string, { loaded }: Observed): Promise<string> {
  const { kind, text: load } = planLoad(policy, loaded, "192.0.2.9");
  const ruleset = renderPolicy(policy);
  const files = { ruleset, load, owner: "me", backend: nameOnHost(policy), undoAfterSeconds: 600 };
  await run(host, stageProgram(policy.name, id, digestText(ruleset), files));
  return kind;
}

async function run(host: LabHost, program: Program, check = true): Promise<CommandResult> {
  const shell = ["sh", "-s", "--", `${host.ipv4} 1 ${host.ipv4} 22`];
  return host.run(shell, { stdin: writeProgram(program), check });
}

function observe(host: LabHost, policy: Policy): Promise<Observed> {
  return observeHost({ run: (program) => run(host, program, false), close: () => undefined }, policy);
}
