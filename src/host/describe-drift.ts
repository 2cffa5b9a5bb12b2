import { describeCrash } from "../backends/nftables/preflight.js";
import { redactListing, redactPorts } from "../backends/redact.js";
import { renderPolicy } from "../backends/render.js";
import { unreachable } from "../errors.js";
import type { Policy } from "../policy/policy.js";
import { type Drift, mayHoldOtherSecrets } from "./drift.js";
import { describeObstacle } from "./other-rules/obstacles.js";

/** Hides what is secret in a text that came from a host. */
export type Redaction = (text: string) => string;

/** The most changed lines that a description shows. The diff of the ruleset has all of them. */
const shownLines = 12;

/**
 * Makes the redaction for texts from a host with this drift.
 *
 * @param key for the labels on lines that Knockgate rendered; without it these lines get `<secret>`, too
 */
export function makeRedaction(drift: readonly Drift[], policy: Policy, key?: string): Redaction {
  const isForeign = mayHoldOtherSecrets(drift);
  return (text) => {
    const hidden = isForeign ? hideNumbers(text, policy) : text;
    return key === undefined ? redactPorts(hidden, policy) : redactListing(hidden, policy, key);
  };
}

/** Describes each drift in one line or a few, without secrets. Says what to do where `up` does not suffice. */
export function describeDrift(drift: readonly Drift[], policy: Policy, redact: Redaction): readonly string[] {
  return drift.flatMap((found) => describeOne(found, policy, redact));
}

function describeOne(drift: Drift, policy: Policy, redact: Redaction): readonly string[] {
  switch (drift.kind) {
    case "changed": {
      const lines = drift.lines.slice(0, shownLines).map(({ kind, where, line }) => {
        return `changed outside: ${where}: ${kind === "added" ? "+" : "-"} ${redact(line).trim()}`;
      });
      const rest = drift.lines.length - lines.length;
      if (lines.length === 0) return ["changed outside: the loaded ruleset is not the confirmed one"];
      return rest > 0 ? [...lines, `changed outside: and ${rest} more lines`] : lines;
    }
    case "gone":
      return [describeGone(drift.what)];
    case "unlisted":
      return [`not listed: ${describeCrash(drift.nftVersion)}`];
    case "not at boot":
      return [
        `not at boot: the host's service knockgate-${policy.name} is missing or not enabled, so the gate will not be back after a reboot`,
      ];
    case "readable":
      return [
        `readable: every user of the host can read in ${drift.lists.length} lists in /proc/net which sources knock, and how far they are. That is enough to find out a knock`,
      ];
    case "token source":
      return [`token source: ${describeTokenSource(drift)}`];
    case "no fill":
      return [
        "no fill: what makes the host's new tokens from time to time is missing, not enabled or stopped, so the gates can be opened only until the tokens end that it holds",
      ];
    case "obstacle":
      return [`blocked by: ${describeObstacle(drift.obstacle)}`];
    case "preceding rule": {
      const family = drift.rule.family === "ipv4" ? "IPv4" : "IPv6";
      return [`preceding rule: ${family} packets meet this rule before the gate: ${redact(drift.rule.rule)}`];
    }
    case "undone":
      return [`undone: the host has put back what it had before the last change: ${redact(drift.why)}`];
    case "another owner":
      return [
        `another owner: ${showOwner(drift.owner)} has confirmed policy ${policy.name} on this host; adopt: true takes it back`,
      ];
    case "unknown change":
      return [
        "unknown change: the host has confirmed a ruleset of this resource that the state does not know",
      ];
    case "pending":
      return ["pending: a change is armed on the host, and will be undone unless it is confirmed"];
    default:
      return unreachable(drift);
  }
}

function describeGone(what: "rules" | "files" | "all"): string {
  switch (what) {
    case "rules":
      return "gone: the kernel has nothing of this policy; the host's files still have it, for the next boot";
    case "files":
      return "gone: the host's files of this policy; its rules are still loaded, but will not be back after a reboot";
    case "all":
      return "gone: the host has nothing of this policy any more";
    default:
      return unreachable(what);
  }
}

function describeTokenSource(drift: Extract<Drift, { readonly kind: "token source" }>): string {
  switch (drift.what) {
    case "missing":
      return "the host's file that its tokens are made from is gone, so it makes no new ones";
    case "changed":
      return "the host makes its tokens from other keys or settings than the policy's, so clients may not get in by new tokens";
    case "for another name":
      return `the host makes its tokens for the name ${drift.name}, and not for the one by which it was reached here`;
    case "readable":
      return "the mode or the owner of the host's file with the users' keys lets others than root read it; give each user another key if somebody may have";
    default:
      return unreachable(drift);
  }
}

/** Makes an owner's name safe to print: it comes from a file on the host. */
export function showOwner(owner: string): string {
  return owner.replace(/[^\w.:/-]/g, "").slice(0, 120) || "somebody unknown";
}

/** Hides all numbers, except on lines that this policy renders: on any other line a number may be a step. */
function hideNumbers(text: string, policy: Policy): string {
  const known = new Set(renderPolicy(policy).split("\n"));
  return text
    .split("\n")
    .map((line) => (known.has(line) ? line : line.replace(/(?<![\w.])\d{1,5}(?!\w|\.\d)/g, "<secret>")))
    .join("\n");
}
