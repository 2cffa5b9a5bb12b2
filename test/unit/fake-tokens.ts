import { writeTokenSource } from "../../src/backends/token-source";
import type { TokenStep } from "../../src/knock/packet";
import { digestText } from "../../src/policy/digest";
import type { Gate, Policy } from "../../src/policy/policy";
import { slotAt, tokenOf } from "../../src/policy/token";
import { listTokenGates, listUsersOf } from "../../src/policy/user";

/** The clock of all fake hosts, and of their deployers. */
export const fakeNowMs = 1_800_000_000_000;
const fakeNow = fakeNowMs / 1_000;

/** The name by which the deployer reaches a fake host. */
export const fakeName = "edge.test";

export interface FakeTokenOptions {
  /** Whether a token that was used opens again. */
  readonly reopens?: boolean;
  /** The host holds slots from so many after the present one: it has lost its tokens. Default: 0. */
  readonly firstSlot?: number;
  /** How far the host's clock is ahead. */
  readonly aheadSeconds?: number;
  readonly refusesTokens?: boolean;
  /** How many slots from the present one another process of the deployer has used. */
  readonly usedElsewhere?: number;
  /** The host's name in the tokens that it has at first. Default: `fakeName`. */
  readonly formerName?: string;
  /** What it says of openings in its log. Default: the policy logs none. */
  readonly openings?: string;
  /** What is wrong with what its first change has left for tokens. */
  readonly fault?: "source gone" | "source changed" | "source readable" | "no fill";
}

/** What a host does with tokens. */
export interface FakeTokens {
  /** Takes a token, if it is good. Returns the gate that it is for. */
  take(policy: Policy | undefined, step: TokenStep): Gate | undefined;
  /** What the host says of a confirmed or loaded policy's tokens. */
  describe(policy: Policy | undefined, source: string | undefined): string;
  describeHost(): string;
  readonly taken: readonly string[];
}

/** How a host says what is wrong with what it has for tokens. */
const faultLines = { "source readable": "tokens_readable=yes\n", "no fill": "fill=missing\n" } as const;

export function makeFakeTokens(options: FakeTokenOptions): FakeTokens {
  const { reopens = false, firstSlot = 0, aheadSeconds = 0, usedElsewhere = 0 } = options;
  const spent = new Set<string>();
  const taken: string[] = [];
  return {
    taken,
    take: (policy, { carrier, token }) => {
      for (const gate of policy === undefined ? [] : listTokenGates(policy)) {
        if (policy === undefined || JSON.stringify(gate.knock.carrier) !== JSON.stringify(carrier)) continue;
        for (const { name, key } of listUsersOf(policy, gate.name)) {
          const now = slotAt(fakeNowMs, policy.tokens.slotSeconds);
          const slots = Array.from({ length: 60 }, (_, index) => now + firstSlot + index);
          const good = slots.filter((slot) => slot >= now + usedElsewhere);
          const purpose = { policy: policy.name, gate: gate.name, host: fakeName };
          if (!good.some((slot) => tokenOf(key, { ...purpose, slot }) === token)) continue;
          if (spent.has(token) && !reopens) return undefined;
          spent.add(token);
          taken.push(name);
          return gate;
        }
      }
      return undefined;
    },
    describe: (policy, source) => {
      if (policy === undefined || source === undefined) return "";
      const { slotSeconds } = policy.tokens;
      const from = (slotAt(fakeNowMs, slotSeconds) + firstSlot) * slotSeconds;
      const until = from + policy.tokens.horizonDays * 86_400;
      const users = listTokenGates(policy).flatMap(({ name }) =>
        listUsersOf(policy, name).map(
          (user) => `tokens_user=${name} ${user.name} ${from} ${until} 3 ${fakeNow - 3600} ${fakeNow}\n`,
        ),
      );
      const name = /^host (.*)$/m.exec(source)?.[1];
      return `tokens_digest=${digestText(source)}\ntokens_host=${name}\n${users.join("")}`;
    },
    describeHost: () => `clock=${fakeNow + aheadSeconds}\n${options.refusesTokens ? "tokens=no\n" : ""}`,
  };
}

/** What a host with a policy makes its tokens from at first. */
export function sourceOf(
  policy: Policy,
  { formerName = fakeName, fault }: FakeTokenOptions = {},
): string | undefined {
  if (fault === "source gone") return undefined;
  const source = writeTokenSource(policy, formerName);
  return fault === "source changed" ? source?.replace(/^(user \S+ \S+) .*/m, `$1 ${"x".repeat(40)}`) : source;
}

/** Tells what is wrong with the files of a host's first change. */
export function describeFault({ fault }: FakeTokenOptions = {}): string {
  return fault === "source readable" || fault === "no fill" ? faultLines[fault] : "";
}
