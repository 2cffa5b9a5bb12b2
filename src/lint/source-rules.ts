import type { LintRule, Violation } from "../policy/lint-rule.js";
import type { Policy } from "../policy/policy.js";
import { type Family, families } from "../policy/prefix.js";
import { countIpv4, countPublic, coversAll } from "./address-space.js";

/** A prefix that is shorter than this is wider than any one network. */
const shortestLength: Readonly<Record<Family, number>> = { ipv4: 8, ipv6: 16 };
/** The number of addresses in the widest prefix that is accepted. */
const mostAddresses: Readonly<Record<Family, bigint>> = { ipv4: 2n ** 24n, ipv6: 2n ** 112n };

const familyNames: Readonly<Record<Family, string>> = { ipv4: "IPv4", ipv6: "IPv6" };

/** Rules about who is let in without a knock, and who is not let in with one. */
export const sourceRules: readonly LintRule[] = [
  {
    id: "allowed-too-wide",
    severity: "error",
    canBeAccepted: true,
    why:
      "A source in allowFrom never has to knock. A wide prefix, or many that are wide together, leave the gate open to much of the " +
      "internet. IPv6 prefixes of 6to4, NAT64 and Teredo let in the IPv4 addresses that they stand for.",
    fix: "Name the networks that are yours.",
    check: (policy) => {
      const wide = policy.allowFrom.flatMap((text, index) => {
        const message = describeWide(text);
        return message === undefined ? [] : [{ path: `allowFrom[${index}]`, message }];
      });
      return wide.length > 0 ? wide : findWideTogether(policy);
    },
  },
  {
    id: "denied-everybody",
    severity: "error",
    canBeAccepted: true,
    why: "A knock from an address in denyFrom does not count, and denyFrom takes precedence over allowFrom: nobody can open a gate, and nobody is let in without a knock.",
    fix: "Leave out of denyFrom the networks from which you connect.",
    check: ({ denyFrom }) => {
      const isDenied = coversAll(denyFrom);
      return isDenied.ipv4 && isDenied.ipv6
        ? [{ path: "denyFrom", message: "denies all of IPv4 and all of IPv6." }]
        : [];
    },
  },
  {
    id: "denied-family",
    severity: "warning",
    canBeAccepted: true,
    why: "A knock from an address in denyFrom does not count: nobody can open a gate over that IP version.",
    fix: "Make sure that all clients, and the deployer, connect over the other IP version.",
    check: ({ denyFrom }) => {
      const isDenied = coversAll(denyFrom);
      return isDenied.ipv4 === isDenied.ipv6
        ? []
        : [{ path: "denyFrom", message: `denies all of ${isDenied.ipv4 ? "IPv4" : "IPv6"}.` }];
    },
  },
];

function describeWide(text: string): string | undefined {
  const isIpv6 = text.includes(":");
  const length = Number(text.split("/")[1] ?? 128);
  if (length < shortestLength[isIpv6 ? "ipv6" : "ipv4"]) return `is ${text}.`;
  return isIpv6 && countIpv4(text) > mostAddresses.ipv4
    ? `is ${text}, which stands for IPv4 addresses.`
    : undefined;
}

/**
 * Finds prefixes that are too wide together. Only addresses of the internet count: all private networks together are
 * not a risk of this kind.
 */
function findWideTogether({ allowFrom }: Policy): readonly Violation[] {
  const counts = countPublic(allowFrom);
  return families.flatMap((family) => {
    if (counts[family] <= mostAddresses[family]) return [];
    const widest = `a /${shortestLength[family]}`;
    const message = `lets in more ${familyNames[family]} addresses of the internet than ${widest} has, all prefixes together.`;
    return [{ path: "allowFrom", message }];
  });
}
