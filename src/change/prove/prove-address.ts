import { isIPv6 } from "node:net";
import { KnockgateError } from "../../errors.js";
import { hasRisen } from "../../host/counts.js";
import { askClientAddress } from "../../host/script/observe.js";
import type { PortAnswer } from "../../knock/packet.js";
import { readAnswer } from "../../knock/read-answer.js";
import { firstPort, isAllowed } from "../../policy/gate.js";
import type { Gate, Policy } from "../../policy/policy.js";
import type { Prober, Route } from "../../ssh/host.js";
import { limitDial, makeKnockerBefore, makeOwnKnocker, type ProofContext, proofTries } from "./proof.js";
import { findUnseen } from "./prove-closed.js";

/** An address where no gate answers before its knock. `unseen` are the gates whose counters saw no packet there. */
interface ClosedAddress {
  readonly prober: Prober;
  readonly target: string;
  readonly unseen: readonly Gate[];
}

/**
 * Proves that each gate is closed before its knock at the host's other addresses, too: another firewall may accept one
 * family, or one address, before the gate. What can't be tried is logged with the reason.
 *
 * @throws KnockgateError `NOT_CONFIRMED` when a port answers
 */
export async function proveOthersClosed(
  policy: Policy,
  context: ProofContext,
): Promise<readonly ClosedAddress[]> {
  const { others, cutOff, log } = context;
  const closed: ClosedAddress[] = [];
  for (const prober of others) {
    const target = prober.target ?? prober.name;
    const result = await tryClosed(policy, { ...context, prober });
    if ("why" in result) log(`${nameAddress(target)}: not checked, because ${result.why}`);
    else closed.push({ prober, target, unseen: result.unseen });
  }
  for (const { address, why } of cutOff) log(`${nameAddress(address)}: not checked, because ${why}`);
  for (const line of listUnnamed(context)) log(line);
  return closed;
}

type Tried = { readonly unseen: readonly Gate[] } | { readonly why: string };

async function tryClosed(policy: Policy, context: ProofContext): Promise<Tried> {
  const { prober } = context;
  if (prober.address !== undefined && isAllowed(policy, prober.address))
    return { why: sayAllowed(prober.address) };
  for (let tries = 1; ; tries += 1) {
    const counted = await context.countPackets();
    try {
      return await findUnseen(policy, { ...context, counted });
    } catch (cause) {
      if (isUnsent(cause)) return { why: cause.summary };
      // If the gate's own counter accepted a packet, the gate was open for that source. Then no other firewall is at
      // fault, unless the counter rose for somebody else's packet.
      const after = await context.countPackets();
      const isLetIn = policy.gates.some((gate) => hasRisen("accepted", gate, counted, after, 1));
      if (isLetIn && tries < proofTries) continue;
      if (isLetIn)
        return { why: "it answers before the knock, and the gate itself lets packets in: is a door open?" };
      // Behind NAT, the host sees a different address than this machine's own.
      const seen = isRoute(prober) ? await askClientAddress(prober) : undefined;
      if (seen !== undefined && isAllowed(policy, seen)) return { why: sayAllowed(seen) };
      throw cause;
    }
  }
}

function sayAllowed(source: string): string {
  return `${source}, the address that it is tried from, is in allowFrom`;
}

/**
 * Whether the network refused to carry a packet. A lost connection to the host shows elsewhere: when its counts are
 * read.
 */
function isUnsent(cause: unknown): cause is KnockgateError {
  return cause instanceof KnockgateError && cause.code === "UNREACHABLE";
}

/**
 * Tries at the host's other addresses whether each gate opens for its knock. A gate that never answers there is logged,
 * and does not fail the proof: the network may not carry every packet to that address, and a closed gate harms nobody.
 */
export async function proveOthersOpen(
  policy: Policy,
  closed: readonly ClosedAddress[],
  context: ProofContext,
): Promise<void> {
  for (const address of closed) {
    try {
      await tryAllOpen(policy, address, { ...context, prober: address.prober });
    } catch (cause) {
      if (!isUnsent(cause)) throw cause;
      context.log(`open: not checked at ${nameAddress(address.target)}, because ${cause.summary}`);
    }
  }
}

async function tryAllOpen(policy: Policy, address: ClosedAddress, context: ProofContext): Promise<void> {
  let isSilent = true;
  for (const gate of policy.gates) {
    if (!context.hasTime()) {
      const why = "the host would undo the change before the check ended";
      context.log(`open: gate ${gate.name} not checked at ${nameAddress(address.target)}, because ${why}`);
      isSilent = false;
    } else if (await tryOpen(policy, gate, address, context)) isSilent = false;
  }
  if (!isSilent) return;
  const why = "nothing that was sent to it reached a gate, and it does not answer even after the knock";
  context.log(`${nameAddress(address.target)}: not checked, because ${why}`);
}

/** Returns whether a gate was seen at an address, before its knock or after it. */
async function tryOpen(
  policy: Policy,
  gate: Gate,
  { target, unseen }: ClosedAddress,
  context: ProofContext,
): Promise<boolean> {
  const isSeen = !unseen.includes(gate);
  const [tcp, udp] = [firstPort(gate, "tcp"), firstPort(gate, "udp")];
  let isAnswered = false;
  if (tcp !== undefined) {
    const port = `TCP port ${tcp} of ${target}`;
    const answer = await knockAndAsk(policy, gate, tcp, isSeen ? proofTries : 1, context);
    isAnswered = answer !== "silent";
    if (isAnswered && !isSeen)
      context.log(`closed: gate ${gate.name} does not answer on ${port} before the knock`);
    if (isAnswered) context.log(`open: gate ${gate.name} answers on ${port} after the knock (${answer})`);
    else if (isSeen)
      context.log(
        `open: ${port} not checked, because it does not answer even after the knock of gate ${gate.name}`,
      );
  }
  if (udp !== undefined && isSeen) await tryDatagram(policy, gate, udp, target, context);
  return isSeen || isAnswered;
}

/** Logs in where that is possible: sshd penalizes a client that connects and hangs up (PerSourcePenalties). */
async function knockAndAsk(
  policy: Policy,
  gate: Gate,
  port: number,
  most: number,
  context: ProofContext,
): Promise<PortAnswer> {
  const { prober, dialMs, sshPort } = context;
  const before = makeKnockerBefore(port, context);
  const own = makeOwnKnocker(policy, gate, context);
  for (let tries = 0; tries < most; tries += 1) {
    await prober.knock([...before.next(), ...own.next()]);
    const answer =
      isRoute(prober) && port === sshPort
        ? await askByLogin(prober, limitDial(dialMs))
        : await prober.probePort(port, Math.max(1_500, 4 * dialMs));
    if (answer !== "silent") return answer;
  }
  return "silent";
}

async function askByLogin(route: Route, timeoutMs: number): Promise<PortAnswer> {
  try {
    const connection = await route.connect(timeoutMs);
    connection.close();
    return "open";
  } catch (error) {
    return readAnswer(error);
  }
}

async function tryDatagram(
  policy: Policy,
  gate: Gate,
  udp: number,
  target: string,
  context: ProofContext,
): Promise<void> {
  const before = await context.countPackets();
  const own = makeOwnKnocker(policy, gate, context);
  await context.prober.knock([...own.next(), { kind: "udp", port: udp }]);
  const isSeen = hasRisen("accepted", gate, before, await context.countPackets(), 1);
  const port = `UDP port ${udp} of ${target}`;
  context.log(
    isSeen
      ? `open: gate ${gate.name} lets a datagram through to ${port} after the knock; its own counter saw it`
      : `open: ${port} not checked, because the counter of gate ${gate.name} saw no datagram even after the knock`,
  );
}

function isRoute(prober: Prober): prober is Route {
  return "connect" in prober;
}

/** Lists the host's addresses of a family that the connection's host name does not resolve to. */
function listUnnamed({ prober, others, cutOff, hostAddresses }: ProofContext): readonly string[] {
  const targets = [prober, ...others].flatMap(({ target }) => (target === undefined ? [] : [target]));
  if (targets.length === 0) return [];
  const families = [...targets, ...cutOff.map(({ address }) => address)].map(nameFamily);
  return hostAddresses
    .filter((address) => !families.includes(nameFamily(address)))
    .map((address) => {
      const has = families.includes("IPv4") ? "IPv4" : "IPv6";
      const why = `connection.host has only ${has} addresses, and the host has ${address} as well`;
      return `${nameFamily(address)}: not checked, because ${why}; for a name that has both, both are proven`;
    });
}

function nameFamily(address: string): string {
  return isIPv6(address) ? "IPv6" : "IPv4";
}

function nameAddress(address: string): string {
  return `${nameFamily(address)} (${address})`;
}
