import { afterAll, beforeAll, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { renderPolicy } from "../../../src/backends/render";
import { parsePolicy } from "../../../src/policy/parse";

/** The recipe that this project comes from, as people type it. */
const recipe = [
  "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
  "-A INPUT -p tcp --dport 1000 -m recent --set --name KNOCKING",
  "-A INPUT -p tcp --dport 22 -m recent --rcheck --seconds 5 --name KNOCKING -j ACCEPT",
  "-A INPUT -p tcp --dport 22 -j DROP",
];

const policy = {
  name: "recipe",
  backend: "iptables",
  stealth: true,
  limits: { firstStepsPerSecond: 0 },
  gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [{ tcp: 1000 }] }, openForSeconds: 5 }],
};

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ hosts: 4 });
});
afterAll(() => lab?.close());

async function useVariant(host: LabHost, variant: "nft" | "legacy"): Promise<void> {
  for (const tool of ["iptables", "ip6tables"]) {
    for (const part of ["", "-save", "-restore"]) {
      await host.run(["ln", "-s", `/usr/sbin/${tool}-${variant}${part}`, `/usr/local/sbin/${tool}${part}`]);
    }
  }
}

async function restore(host: LabHost, tool: string, lines: string): Promise<void> {
  await host.run([`${tool}-restore`, "--noflush"], { stdin: lines });
}

/** The rules of one chain as iptables-save prints them, without the names of lists and the jumps to our chains. */
async function listRules(host: LabHost, tool: string, chain: string): Promise<readonly string[]> {
  const { stdout } = await host.run([`${tool}-save`, "-t", "filter"]);
  const rules = stdout
    .split("\n")
    .filter((line) => line.startsWith(`-A ${chain} `) && !line.includes(" -j kg_"));
  return rules.map((line) => line.replace(`-A ${chain} `, "").replace(/--name \S+/, "--name LIST"));
}

function renderRecipe(): string {
  const reading = parsePolicy(policy);
  if (reading.kind === "wrong") throw new Error("the recipe is a right policy");
  return renderPolicy(reading.policy);
}

test.each([
  { variant: "nft", typed: 0, rendered: 1 },
  { variant: "legacy", typed: 2, rendered: 3 },
] as const)(
  "the recipe as a policy gives the rules that people type, except where safety needs more, in iptables-$variant",
  async (row) => {
    const [byHand, byPolicy] = [lab.hosts[row.typed], lab.hosts[row.rendered]];
    if (byHand === undefined || byPolicy === undefined) throw new Error("the lab has too few hosts");
    await Promise.all([useVariant(byHand, row.variant), useVariant(byPolicy, row.variant)]);
    for (const [tool, part] of [
      ["iptables", /# ipv4\n([\s\S]*)# ipv6/],
      ["ip6tables", /# ipv6\n([\s\S]*)/],
    ] as const) {
      await restore(byHand, tool, `*filter\n${recipe.join("\n")}\nCOMMIT\n`);
      await restore(byPolicy, tool, part.exec(renderRecipe())?.[1] ?? "");
      const [established = "", ...gate] = await listRules(byHand, tool, "INPUT");
      expect(gate).toHaveLength(recipe.length - 1);
      // The safe order: a SYN meets the gate first, whatever state conntrack gives it.
      expect(await listRules(byPolicy, tool, "kg_recipe")).toEqual([
        "-p tcp -m tcp --tcp-flags SYN,RST,ACK SYN -g kg_recipe_gates",
        established.replace("RELATED,", ""),
        "-g kg_recipe_gates",
      ]);
      const [knock = "", ...door] = gate;
      const linkLocal = tool === "iptables" ? "169.254.0.0/16" : "fe80::/10";
      expect(await listRules(byPolicy, tool, "kg_recipe_gates")).toEqual([
        `! -s ${linkLocal} ${knock}`,
        ...door,
        established.replace(",ESTABLISHED", ""),
      ]);
      expect((await byPolicy.run([`${tool}-save`])).stdout).toContain("-A INPUT ! -i lo -j kg_recipe\n");
    }
  },
);
