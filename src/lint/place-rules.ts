import { isLinkLocal, linkLocal } from "../policy/gate.js";
import type { LintRule, Violation } from "../policy/lint-rule.js";
import type { Policy } from "../policy/policy.js";
import { isInPrefix, readPrefixes } from "../policy/prefix.js";
import { portOf } from "../policy/step.js";
import { eachSequence } from "./each-sequence.js";

/**
 * Ports on which services usually listen. A service would answer, and every scanner asks these ports first. The ports
 * that nmap moves to the beginning of its random order (nmap(1), -r; `random_port_cheat` in its portlist.cc) are in
 * this set or in the next one.
 */
const served = new Set([
  20, 21, 22, 23, 25, 53, 80, 110, 113, 123, 143, 199, 256, 443, 465, 554, 587, 631, 993, 995, 1_025, 1_194,
  1_720, 1_723, 3_306, 3_389, 5_432, 5_900, 6_379, 8_080, 8_443, 8_888, 27_017,
]);

/** Ports that providers and corporate firewalls are known to drop. */
const dropped = new Set([
  0, 17, 19, 25, 69, 111, 135, 136, 137, 138, 139, 161, 162, 389, 445, 512, 513, 514, 520, 593, 1_080, 1_433,
  1_434, 1_900, 3_702, 5_353, 5_355, 11_211,
]);

/** Rules about where steps go, and how long things last. */
export const placeRules: readonly LintRule[] = [
  {
    id: "step-on-service-port",
    severity: "warning",
    canBeAccepted: true,
    why: "A service that listens there handles the packet as its own, and scanners try such ports first.",
    fix: "Choose a port that no service uses.",
    check: (policy) => objectToSteps(policy, served, "is on a port on which services usually listen."),
  },
  {
    id: "step-dropped-on-the-way",
    severity: "warning",
    canBeAccepted: true,
    why: "Providers and company firewalls drop packets to ports that worms and amplifiers use.",
    fix: "Choose a port above 1024 that no well-known service uses.",
    check: (policy) => objectToSteps(policy, dropped, "is on a port that middleboxes are known to drop."),
  },
  {
    id: "allowed-link-local",
    severity: "warning",
    canBeAccepted: true,
    why: "A link-local address belongs to a machine on one link only. On another link of the host, the same address belongs to another machine, which is let in, too.",
    fix: "Name an address that belongs to the machine on every link, or use only one link of the host.",
    check: (policy) =>
      policy.allowFrom.flatMap((text, index) =>
        holdsLinkLocal(text)
          ? [{ path: `allowFrom[${index}]`, message: `is ${text}, which is link-local.` }]
          : [],
      ),
  },
  {
    id: "window-too-short",
    severity: "warning",
    canBeAccepted: true,
    why: "On a slow or lossy line, a client needs a second or more between two packets, and time for a retry.",
    fix: "Give stepTimeoutSeconds at least 3 and openForSeconds at least 5.",
    check: (policy) => [
      ...objectToTimeouts(policy, (seconds, steps) => seconds < 3 && steps > 1),
      ...objectToOpenTimes(policy, (seconds) => seconds < 5),
    ],
  },
  {
    id: "window-too-long",
    severity: "warning",
    canBeAccepted: true,
    why: "While the door is open, it is open to everybody behind the same address.",
    fix: "Established sessions go on anyway: a minute is enough to connect.",
    check: (policy) => [
      ...objectToTimeouts(policy, (seconds) => seconds > 60),
      ...objectToOpenTimes(policy, (seconds) => seconds > 600),
    ],
  },
];

function objectToTimeouts(
  policy: Policy,
  isWrong: (seconds: number, steps: number) => boolean,
): readonly Violation[] {
  return eachSequence(policy, ({ knock: { stepTimeoutSeconds: seconds, steps } }, index) =>
    isWrong(seconds, steps.length)
      ? [{ path: `gates[${index}].knock.stepTimeoutSeconds`, message: `is ${seconds} s.` }]
      : [],
  );
}

function objectToOpenTimes({ gates }: Policy, isWrong: (seconds: number) => boolean): readonly Violation[] {
  return gates.flatMap(({ openForSeconds: seconds }, index) =>
    isWrong(seconds) ? [{ path: `gates[${index}].openForSeconds`, message: `is ${seconds} s.` }] : [],
  );
}

/** Whether a prefix has only link-local addresses, or contains all link-local addresses of its family. */
function holdsLinkLocal(text: string): boolean {
  const [whole] = readPrefixes([text]);
  const firsts = readPrefixes(linkLocal).map(({ address }) => address);
  return (
    isLinkLocal(text.replace(/\/.*$/, "")) ||
    (whole !== undefined && firsts.some((first) => isInPrefix(first, whole)))
  );
}

function objectToSteps(policy: Policy, ports: ReadonlySet<number>, message: string): readonly Violation[] {
  return eachSequence(policy, (gate, index) =>
    gate.knock.steps.flatMap((step, position) => {
      const port = portOf(step);
      return port !== undefined && ports.has(port)
        ? [{ path: `gates[${index}].knock.steps[${position}]`, message }]
        : [];
    }),
  );
}
