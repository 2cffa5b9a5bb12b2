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
  for (const text of writeTokens(policy, listTokens)) await machine.run(["nft", "-f", "-"], { stdin: text });
}

/** Writes for each user and gate what adds the tokens to the sets. */
export function writeTokens(
  policy: Policy,
  listTokens: (owner: NonNullable<TokenSet["owner"]>) => readonly string[],
): readonly string[] {
  const { tokenSets } = lowerForBackend(policy);
  const all = tokenSets.find(({ owner }) => owner === undefined)?.name;
  return tokenSets.flatMap(({ name, owner }) => {
    if (owner === undefined) return [];
    const elements = listTokens(owner).map((token) => `0x${token} timeout 7d`);
    const lines = [name, all].map(
      (set) => `add element inet knockgate_${policy.name} ${set} { ${elements.join(",\n")} }\n`,
    );
    return [lines.join("")];
  });
}
