import { isTokenGate, stepsOf } from "../../policy/knock.js";
import type { LintRule, Violation } from "../../policy/lint-rule.js";
import type { Policy } from "../../policy/policy.js";
import { sameStep } from "../../policy/step.js";

/** The longest name of a chain (kernel `XT_EXTENSION_MAXNAMELEN`, without the byte that ends it). */
const longestChainName = 28;
/** The longest prefix of a line in the kernel's log (kernel `nf_loginfo`, xt_LOG). */
const longestLogPrefix = 29;
/** The default of xt_recent's `ip_list_tot`. */
const defaultRecentSources = 100;
/**
 * The most gates for which a first step costs iptables only a few times as much as the plainest recipe does
 * (bench/RESULTS.md).
 */
const mostCheapGates = 10;

/** What iptables can't do, or can do only within limits. */
export const iptablesLintRules: readonly LintRule[] = [
  {
    id: "iptables-token",
    severity: "error",
    canBeAccepted: false,
    why: "iptables can find a token in a packet, but can't take it out of a list: it would open again and again.",
    fix: "Use the backend nftables, or a sequence of steps.",
    check: ({ gates }) =>
      gates.flatMap((gate, index) =>
        isTokenGate(gate)
          ? [{ path: `gates[${index}].knock.token`, message: "needs the backend nftables." }]
          : [],
      ),
  },
  {
    id: "iptables-doubled-step",
    severity: "error",
    canBeAccepted: false,
    why: "xt_recent knows only addresses: a packet that the network doubles would count as the next step.",
    fix: "Put another step between the two, or use the backend nftables.",
    check: findDoubledSteps,
  },
  {
    id: "iptables-name-too-long",
    severity: "error",
    canBeAccepted: false,
    why: `A chain's name has at most ${longestChainName} characters: kg_<policy>_<gate>_closed, kg_<policy>_new_conns.`,
    fix: "Shorten the policy's or the gate's name.",
    check: findLongNames,
  },
  {
    id: "iptables-log-prefix-too-long",
    severity: "error",
    canBeAccepted: false,
    why: `A log line's prefix has at most ${longestLogPrefix} characters in iptables: <prefix> <gate> <event>.`,
    fix: "Shorten log.prefix or the gate's name.",
    check: (policy) =>
      policy.gates.flatMap((gate) => {
        const longest = Math.max(0, ...(policy.log?.events ?? []).map((event) => event.length));
        const isTooLong =
          longest > 0 && `${policy.log?.prefix} ${gate.name} `.length + longest + 1 > longestLogPrefix;
        return isTooLong ? [{ path: "log.prefix", message: `is too long with gate "${gate.name}".` }] : [];
      }),
  },
  {
    id: "iptables-few-sources",
    severity: "warning",
    canBeAccepted: true,
    why:
      `xt_recent remembers ${defaultRecentSources} sources for each step, and as many in mid-knock at all gates together ` +
      "(ip_list_tot). It forgets the oldest source for a new one: as many spoofed packets push out a client, even one whose door is " +
      "open. First steps of one gate push out clients that knock at another. A client that is pushed out has to begin again. " +
      "xt_recent counts whole seconds.",
    fix: "Load xt_recent with a larger ip_list_tot and set limits.sources to it, or use the backend nftables.",
    check: () => [
      {
        path: "backend",
        message: `holds as many sources as the host's xt_recent, ${defaultRecentSources} unless its ip_list_tot was set.`,
      },
    ],
  },
  {
    id: "iptables-many-gates",
    severity: "warning",
    canBeAccepted: true,
    why:
      "xt_recent finds a list by walking through all lists of the host. A first step, or a packet of a source in mid-knock, is " +
      "looked up in two or more lists for each gate. So the cost of such a packet grows with the square of the number of gates, and " +
      "whoever knows one first step can send many of them. All other packets cost the same for any number of gates.",
    fix: "Use the backend nftables, or put the ports behind fewer gates.",
    check: ({ gates }) =>
      gates.length > mostCheapGates
        ? [
            {
              path: "gates",
              message: `are ${gates.length}: so many gates make each first step expensive in iptables.`,
            },
          ]
        : [],
  },
];

function findLongNames(policy: Policy): readonly Violation[] {
  const message = "makes a chain's name too long for iptables.";
  if (`kg_${policy.name}_new_conns`.length > longestChainName) return [{ path: "name", message }];
  return policy.gates.flatMap((gate, index) => {
    const isTooLong = `kg_${policy.name}_${gate.name}_closed`.length > longestChainName;
    return isTooLong ? [{ path: `gates[${index}].name`, message }] : [];
  });
}

function findDoubledSteps(policy: Policy): readonly Violation[] {
  return policy.gates.flatMap((gate, index) =>
    stepsOf(gate).flatMap((step, position, steps) => {
      const before = steps[position - 1];
      if (before === undefined || !sameStep(before, step)) return [];
      return [
        { path: `gates[${index}].knock.steps[${position}]`, message: "is the same as the step before it." },
      ];
    }),
  );
}
