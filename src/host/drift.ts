import type { PrecedingRule } from "../backends/backend.js";
import { backendOf } from "../backends/backends.js";
import { renderPolicy } from "../backends/render.js";
import { writeTokenSource } from "../backends/token-source.js";
import { digestText } from "../policy/digest.js";
import type { Policy } from "../policy/policy.js";
import { type LineChange, listChangedLines } from "./loaded-text.js";
import type { Observed } from "./observed.js";
import { findObstacles, type Obstacle } from "./other-rules/obstacles.js";
import type { ObservedTokens } from "./tokens.js";

/** One way in which a host is not as its last change left it. */
export type Drift =
  /** The kernel has another ruleset than the confirmed one. */
  | { readonly kind: "changed"; readonly lines: readonly LineChange[] }
  /** `rules`: confirmed, but not loaded; `files`: loaded, but not confirmed; `all`: neither. */
  | { readonly kind: "gone"; readonly what: "rules" | "files" | "all" }
  /** The host's nft crashed when it listed what is loaded. */
  | { readonly kind: "unlisted"; readonly nftVersion: string }
  /** The confirmed ruleset will not come back at boot. */
  | { readonly kind: "not at boot" }
  /** Users other than root may read who knocks. */
  | { readonly kind: "readable"; readonly lists: readonly string[] }
  /**
   * The file that the host makes its tokens from is not there, not what the policy says, for another name of the host,
   * or others than root may read it.
   */
  | { readonly kind: "token source"; readonly what: "missing" | "changed" | "readable" }
  | { readonly kind: "token source"; readonly what: "for another name"; readonly name: string }
  /** Nothing fills the host's sets of tokens any more. */
  | { readonly kind: "no fill" }
  /** Another firewall of the host drops a protected port. */
  | { readonly kind: "obstacle"; readonly obstacle: Obstacle }
  /** A rule of another firewall decides before the policy does. */
  | { readonly kind: "preceding rule"; readonly rule: PrecedingRule }
  /** The host has undone a change. */
  | { readonly kind: "undone"; readonly why: string }
  /** Another owner has confirmed this policy there. */
  | { readonly kind: "another owner"; readonly owner: string }
  /** The owner has confirmed a change that it does not know of. */
  | { readonly kind: "unknown change" }
  /** A change is armed, and neither confirmed nor undone yet. */
  | { readonly kind: "pending" };

/** What a host should be like. */
export interface ExpectedHost {
  readonly policy: Policy;
  /** The name by which the deployer reaches it: its tokens are bound to that. */
  readonly host: string;
  /** SHA-256 of the confirmed ruleset. Secret. */
  readonly digest: string;
  readonly owner: string;
  /**
   * Names of the obstacles that were there when the gate was proven ({@link nameObstacle}). `undefined`: not known, so
   * no obstacle is reported.
   */
  readonly obstacles?: readonly string[] | undefined;
}

/** Compares an observation of a host with what should be there. Returns all differences. */
export function assessDrift(observed: Observed, expected: ExpectedHost): readonly Drift[] {
  // While a change is armed, the loaded ruleset may still be undone. It does not show what will be there.
  if (observed.pendingId !== undefined) return [{ kind: "pending" }];
  return [
    ...assessOwnership(observed, expected),
    ...assessLoaded(observed),
    ...assessTokens(observed, expected),
    ...assessFront(observed, expected),
    ...(observed.undone === undefined ? [] : [{ kind: "undone", why: observed.undone } as const]),
  ];
}

function assessOwnership({ confirmed }: Observed, expected: ExpectedHost): readonly Drift[] {
  if (confirmed === undefined) return [];
  if (confirmed.owner !== expected.owner) return [{ kind: "another owner", owner: confirmed.owner }];
  return digestText(confirmed.text) === expected.digest ? [] : [{ kind: "unknown change" }];
}

function assessLoaded(observed: Observed): readonly Drift[] {
  const { confirmed, loaded } = observed;
  if (observed.isUnlisted) return [{ kind: "unlisted", nftVersion: observed.nftVersion }];
  if (confirmed === undefined) return [{ kind: "gone", what: loaded === undefined ? "all" : "files" }];
  const atBoot: readonly Drift[] = observed.isMissingAtBoot === true ? [{ kind: "not at boot" }] : [];
  if (loaded === undefined) return [{ kind: "gone", what: "rules" }, ...atBoot];
  const lists = observed.readable ?? [];
  const readable: readonly Drift[] = lists.length === 0 ? [] : [{ kind: "readable", lists }];
  if (loaded.listing === confirmed.listing) return [...atBoot, ...readable];
  return [{ kind: "changed", lines: listChangedLines(observed) }, ...atBoot, ...readable];
}

/** What tokens are made from belongs to one ruleset. Of another one, another kind of drift says enough. */
function assessTokens(observed: Observed, { policy, host }: ExpectedHost): readonly Drift[] {
  if (observed.confirmed?.text !== renderPolicy(policy)) return [];
  return [
    ...assessTokenSource(observed.tokens, writeTokenSource(policy, host), host),
    ...(observed.isFillMissing ? [{ kind: "no fill" } as const] : []),
  ];
}

function assessTokenSource(
  tokens: ObservedTokens | undefined,
  source: string | undefined,
  host: string,
): readonly Drift[] {
  const kind = "token source";
  if (tokens === undefined) return source === undefined ? [] : [{ kind, what: "missing" }];
  const isSame = source !== undefined && tokens.digest === digestText(source);
  const isRenamed = source !== undefined && tokens.host !== "" && tokens.host !== host;
  const other: Drift = isRenamed
    ? { kind, what: "for another name", name: tokens.host }
    : { kind, what: "changed" };
  return [...(isSame ? [] : [other]), ...(tokens.isReadable ? [{ kind, what: "readable" } as const] : [])];
}

function assessFront(observed: Observed, { policy, obstacles }: ExpectedHost): readonly Drift[] {
  const rules = backendOf(observed).findPrecedingRules(observed.preceding ?? "", policy.name);
  const found = obstacles === undefined ? [] : findObstacles(observed, policy);
  return [
    ...rules.map((rule) => ({ kind: "preceding rule", rule }) as const),
    ...found
      .filter((obstacle) => !obstacles?.includes(nameObstacle(obstacle)))
      .map((obstacle) => ({ kind: "obstacle", obstacle }) as const),
  ];
}

/** Names an obstacle in words that stay the same: `inet filter input tcp 22`. */
export function nameObstacle({ chain, protocol, port }: Obstacle): string {
  return `${chain} ${protocol} ${port}`;
}

/**
 * Whether a listing of this host may hold the secrets of another policy: this policy's former or next version, or the
 * policy of another owner.
 */
export function mayHoldOtherSecrets(drift: readonly Drift[]): boolean {
  return drift.some(
    ({ kind }) =>
      kind === "pending" || kind === "another owner" || kind === "unknown change" || kind === "gone",
  );
}
