import type { LabMachine } from "../../lab/machine";
import { lowerForBackend, renderPolicy } from "../../src/backends/render";
import type { Policy } from "../../src/policy/policy";
import type { TokenSet } from "../../src/ruleset/ruleset";
import { loadRuleset } from "./load-ruleset";

/** Loads a policy's ruleset, and for each user and gate the tokens, in hexadecimal, that `listTokens` returns. */
export async function loadTokens(
  machine: LabMachine,
  policy: Policy,
  listTokens: (owner: NonNullable<TokenSet["owner"]>) => readonly string[],
): Promise<void> {
  await loadRuleset(machine, "nftables", renderPolicy(policy));
  const { tokenSets } = lowerForBackend(policy);
  const all = tokenSets.find(({ owner }) => owner === undefined)?.name;
  for (const { name, owner } of tokenSets) {
    if (owner === undefined) continue;
    const elements = listTokens(owner).map((token) => `0x${token} timeout 7d`);
    const lines = [name, all].map(
      (set) => `add element inet knockgate_${policy.name} ${set} { ${elements.join(",\n")} }\n`,
    );
    await machine.run(["nft", "-f", "-"], { stdin: lines.join("") });
  }
}
