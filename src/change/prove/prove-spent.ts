import { hasRisen } from "../../host/counts.js";
import type { KnockStep } from "../../knock/packet.js";
import type { Gate } from "../../policy/policy.js";
import type { Protocol } from "../../policy/port.js";
import type { Knocker } from "../knocker.js";
import { makeKnockerBefore, notConfirmed, type ProofContext, proofTries } from "./proof.js";

/** A port of a gate that was seen open. */
interface OpenPort {
  readonly protocol: Protocol;
  readonly port: number;
}

/** The knock that opened it, and what makes the next ones. Secret. */
interface UsedKnock {
  readonly own: Knocker;
  readonly sent: readonly KnockStep[];
}

/**
 * Proves that a token that was used opens nothing. Does nothing for a sequence.
 *
 * The order matters. The door is open now. First a fresh token closes it, and the port must fall silent: silence after
 * the replay means nothing while it is not known that the door is closed. Then the used token comes again, byte for
 * byte, and the port must stay silent. This never locks the deployer out: it spends only tokens of its own, the
 * connections that it holds are established, and its next knock takes a fresh token.
 *
 * @throws KnockgateError `NOT_CONFIRMED` when the gate does not close, or when it opens again
 */
export async function proveSpent(
  gate: Gate,
  place: OpenPort,
  { own, sent }: UsedKnock,
  context: ProofContext,
): Promise<void> {
  const used = sent.filter(({ kind }) => kind === "token");
  if (used.length === 0) return;
  const name = nameOpenPort(place);
  const what = `used token: gate ${gate.name} not checked on ${name}`;
  if (!context.hasTime()) {
    context.log(`${what}, because the host would undo the change before the check ended`);
    return;
  }
  const closed = await closeDoor(gate, place, own, context);
  if (closed === undefined) {
    context.log(`${what}, because the host's counters can't be read`);
    return;
  }
  if (!closed) {
    throw notConfirmed(
      `gate ${gate.name} still lets packets through to ${name} after ${proofTries} tokens that close it: ` +
        "does a rule of another firewall accept them now, or do the tokens get lost on the way from here?",
    );
  }
  // Twice, because one may get lost.
  const isOpen = await letsThrough(gate, place, [...used, ...used], context);
  if (isOpen !== false) {
    throw notConfirmed(
      `gate ${gate.name} opens again on ${name} for a token that was used before: the host did not delete it`,
    );
  }
  context.log(`closed: gate ${gate.name} stays closed on ${name} when a used token comes again`);
}

/** Returns whether the door is closed then; `undefined` when that can't be told. */
async function closeDoor(
  gate: Gate,
  place: OpenPort,
  own: Knocker,
  context: ProofContext,
): Promise<boolean | undefined> {
  for (let tries = 0; tries < proofTries; tries += 1) {
    const isOpen = await letsThrough(gate, place, own.close(), context);
    if (isOpen !== true) return isOpen === undefined ? undefined : true;
  }
  return false;
}

/** Sends packets, and returns whether the port then lets others through; `undefined` when that can't be told. */
async function letsThrough(
  gate: Gate,
  { protocol, port }: OpenPort,
  packets: readonly KnockStep[],
  context: ProofContext,
): Promise<boolean | undefined> {
  const { prober, dialMs } = context;
  if (protocol === "udp") {
    const before = await context.countPackets();
    await prober.knock([...packets, { kind: "udp", port }]);
    const after = await context.countPackets();
    if (before === undefined || after === undefined) return undefined;
    return hasRisen("accepted", gate, before, after, 1);
  }
  await prober.knock([...makeKnockerBefore(port, context).next(), ...packets]);
  return (await prober.probePort(port, Math.max(800, 2 * dialMs))) !== "silent";
}

function nameOpenPort({ protocol, port }: OpenPort): string {
  return `${protocol === "tcp" ? "TCP" : "UDP"} port ${port}`;
}
