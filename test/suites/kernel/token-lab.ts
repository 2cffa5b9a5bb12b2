import type { LabHost } from "../../../lab/host";
import { type Sender, sendKnock } from "../../../lab/packets";
import { lowerForBackend } from "../../../src/backends/render";
import type { Carrier } from "../../../src/policy/carrier";
import type { Policy } from "../../../src/policy/policy";
import { tokenOf } from "../../../src/policy/token";
import { runNft } from "./gated-lab";

export const tokenPort = 62_201;
export const tokenHost = "edge.example.org";
/** A slot. The kernel does not know of slots. */
export const firstSlot = 29_940_000;

/** What a test names of a token that it sends. The rest is as the host has it. */
export interface TokenChoice {
  readonly user?: string;
  readonly gate?: string;
  readonly host?: string;
  readonly slot?: number;
}

/** Makes a user's token. */
export function makeToken(policy: Policy, choice: TokenChoice = {}): string {
  const { user = "ada", gate = "ssh", host = tokenHost, slot = firstSlot } = choice;
  const key = policy.users.find(({ name }) => name === user)?.key ?? "";
  return tokenOf(key, { policy: policy.name, gate, host, slot });
}

/** Fills a host's sets with the tokens of some slots, as the host script does. */
export async function fillSets(
  host: LabHost,
  policy: Policy,
  slots: number,
  timeout = "5m",
  first = firstSlot,
): Promise<void> {
  const { tokenSets } = lowerForBackend(policy);
  const all = tokenSets.find(({ owner }) => owner === undefined)?.name;
  const lines = tokenSets.flatMap(({ name, owner }) => {
    if (owner === undefined) return [];
    const { gate, user } = owner;
    return Array.from({ length: slots }, (_, index) => {
      const token = `0x${makeToken(policy, { user, gate, slot: first + index })}`;
      return [name, all]
        .map((set) => `add element inet knockgate_${policy.name} ${set} { ${token} timeout ${timeout} }`)
        .join("\n");
    });
  });
  await runNft(host, `${lines.join("\n")}\n`);
}

/** Sends 16 bytes to where a token belongs. `more`: bytes behind it. */
export async function sendToken(
  from: Sender,
  to: string,
  carrier: Carrier,
  token: string,
  more = 0,
): Promise<void> {
  const step =
    carrier.kind === "udp"
      ? {
          udp: carrier.port,
          payload: token.slice(0, 2 * (16 + Math.min(0, more))) + "00".repeat(Math.max(0, more)),
        }
      : { echo: { pattern: token, bytes: 32 + more } };
  await sendKnock(from, { to, steps: [step] });
}

/** Lists the tokens that a host's sets hold. */
export async function listTokens(host: LabHost, policy: Policy): Promise<string> {
  const { tokenSets } = lowerForBackend(policy);
  const listed = await Promise.all(
    tokenSets.map(async ({ name }) => {
      const argv = ["nft", "list", "set", "inet", `knockgate_${policy.name}`, name];
      return (await host.run(argv)).stdout.match(/0x[0-9a-f]+/g) ?? [];
    }),
  );
  return listed.map((each) => each.sort().join(" ")).join("\n");
}
