import { unreachable } from "../errors.js";
import type { Carrier } from "../policy/carrier.js";
import type { TokenGate } from "../policy/knock.js";
import type { Policy, User } from "../policy/policy.js";
import { isInPrefix, readPrefixes } from "../policy/prefix.js";
import type { Packet, PacketKind, SentToken } from "./packet.js";

/** The tokens that a host holds: of all users and gates, for the slots from the first one to the last one. */
export interface HeldTokens {
  /** The host's name for tokens. */
  readonly host: string;
  readonly firstSlot: number;
  /** Also the last slot that it ever held: what is lost is not made again. */
  readonly lastSlot: number;
  /** Tokens that were used, each as text. */
  readonly spent: ReadonlySet<string>;
}

/** Why a packet that could carry a token opens or closes nothing. */
export type TokenFault = "unknown" | "spent" | "late" | "early" | "source";

/** What a packet is to a gate that tokens open. */
export type TokenReading =
  /** It is no packet of the gate's carrier, or not of the size of a token. */
  | { readonly kind: "other" }
  | { readonly kind: "refused"; readonly fault: TokenFault }
  | {
      readonly kind: "right";
      readonly use: "open" | "close";
      readonly user: string;
      readonly held: HeldTokens;
    };

const tokenBytes = 16;
/** Bytes of an echo request's payload before the token. */
const echoLeadBytes = 16;

/**
 * Fills what a host holds: from the first time on, up to the horizon. A host that has lost its tokens begins behind the
 * last one, and goes a whole horizon on from there.
 *
 * @param atMs since 1970, UTC
 */
export function fillTokens({ tokens }: Policy, host: string, atMs: number, held?: HeldTokens): HeldTokens {
  const slotMs = tokens.slotSeconds * 1_000;
  const horizonMs = tokens.horizonDays * 86_400_000;
  const firstSlot = held?.firstSlot ?? Math.floor((atMs - tokens.graceSeconds * 1_000) / slotMs);
  const horizon = Math.max(
    Math.floor((atMs + horizonMs) / slotMs),
    held === undefined || held.firstSlot <= held.lastSlot ? 0 : firstSlot + Math.ceil(horizonMs / slotMs),
  );
  return {
    host,
    firstSlot,
    lastSlot: Math.max(held?.lastSlot ?? horizon, horizon),
    spent: held?.spent ?? new Set(),
  };
}

/** Loses all tokens, as a power cut does, or another program that flushes the firewall. */
export function loseTokens(held: HeldTokens): HeldTokens {
  return { ...held, firstSlot: held.lastSlot + 1, spent: new Set() };
}

/** Reads a packet as a gate does that tokens open. */
export function readToken(
  policy: Policy,
  gate: TokenGate,
  held: HeldTokens | undefined,
  packet: Packet,
): TokenReading {
  const use = readUse(gate.knock.carrier, packet.kind);
  if (use === undefined) return { kind: "other" };
  const token = "token" in packet.kind ? packet.kind.token : undefined;
  const user = token && findUser(policy, gate, held, token);
  if (token === undefined || user === undefined || held === undefined) return refuse("unknown");
  const name = `${gate.name} ${user.name} ${token.slot}`;
  const endMs = (token.slot + 1) * policy.tokens.slotSeconds * 1_000 + policy.tokens.graceSeconds * 1_000;
  if (held.spent.has(name)) return refuse("spent");
  if (packet.atMs >= endMs) return refuse("late");
  if (token.slot > held.lastSlot) return refuse("early");
  if (token.slot < held.firstSlot) return refuse("spent"); // or it may have been, before it was lost
  if (!isFrom(user, packet.source)) return refuse("source");
  return { kind: "right", use, user: user.name, held: { ...held, spent: new Set(held.spent).add(name) } };
}

function refuse(fault: TokenFault): TokenReading {
  return { kind: "refused", fault };
}

/** Whether a packet is of a gate's carrier, and of the size of a token. */
export function canCarryToken({ knock }: TokenGate, kind: PacketKind): boolean {
  return readUse(knock.carrier, kind) !== undefined;
}

/** What a packet of this size would do. `undefined`: nothing. */
function readUse(carrier: Carrier, kind: PacketKind): "open" | "close" | undefined {
  switch (carrier.kind) {
    case "udp":
      return kind.kind === "udp" && kind.port === carrier.port ? readSize(kind.payloadBytes) : undefined;
    case "icmpEcho":
      return kind.kind === "echo" ? readSize(kind.payloadBytes - echoLeadBytes) : undefined;
    default:
      return unreachable(carrier);
  }
}

function readSize(bytes: number): "open" | "close" | undefined {
  if (bytes === tokenBytes) return "open";
  return bytes === tokenBytes + 1 ? "close" : undefined;
}

function findUser(
  policy: Policy,
  gate: TokenGate,
  held: HeldTokens | undefined,
  token: SentToken,
): User | undefined {
  const isMeant = token.policy === policy.name && token.gate === gate.name && token.host === held?.host;
  if (!isMeant) return undefined;
  return policy.users.find(
    ({ key, gates }) => key === token.key && (gates === undefined || gates.includes(gate.name)),
  );
}

function isFrom({ from }: User, source: string): boolean {
  return from === undefined || readPrefixes(from).some((prefix) => isInPrefix(source, prefix));
}
