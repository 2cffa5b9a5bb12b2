import { unreachable } from "../errors.js";
import type { Carrier } from "../policy/carrier.js";
import type { TokenGate } from "../policy/knock.js";
import type { Policy, User } from "../policy/policy.js";
import { isInAny } from "../policy/prefix.js";
import { listTokenGates } from "../policy/user.js";
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
  const user = token?.gate === gate.name ? findUser(policy, held, token) : undefined;
  if (token === undefined || user === undefined || held === undefined) return refuse("unknown");
  const fault = findFault(policy, held, user, token, packet.atMs);
  if (fault !== undefined) return refuse(fault);
  if (!isFrom(user, packet.source)) return refuse("source");
  const spent = new Set(held.spent).add(nameToken(user, token));
  return { kind: "right", use, user: user.name, held: { ...held, spent } };
}

/**
 * Whether a packet brings a token that the host holds. It may be for another gate than those whose carrier it came by,
 * or from a source from which it does not count.
 */
export function isHeldToken(policy: Policy, held: HeldTokens | undefined, { kind, atMs }: Packet): boolean {
  const token = "token" in kind ? kind.token : undefined;
  const user = token && findUser(policy, held, token);
  if (token === undefined || user === undefined || held === undefined) return false;
  return (
    listTokenGates(policy).some((gate) => canCarryToken(gate, kind)) &&
    findFault(policy, held, user, token, atMs) === undefined
  );
}

/** Finds why the host does not hold a token of one of its users. */
function findFault(
  { tokens }: Policy,
  held: HeldTokens,
  user: User,
  token: SentToken,
  atMs: number,
): TokenFault | undefined {
  const endMs = (token.slot + 1) * tokens.slotSeconds * 1_000 + tokens.graceSeconds * 1_000;
  if (held.spent.has(nameToken(user, token))) return "spent";
  if (atMs >= endMs) return "late";
  if (token.slot > held.lastSlot) return "early";
  return token.slot < held.firstSlot ? "spent" : undefined; // or it may have been, before it was lost
}

function nameToken({ name }: User, { gate, slot }: SentToken): string {
  return `${gate} ${name} ${slot}`;
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

/** Finds whose token it is, if it was made for a gate of this policy at this host. */
function findUser(policy: Policy, held: HeldTokens | undefined, token: SentToken): User | undefined {
  const isMeant = token.policy === policy.name && token.host === held?.host;
  if (!isMeant || !listTokenGates(policy).some(({ name }) => name === token.gate)) return undefined;
  return policy.users.find(
    ({ key, gates }) => key === token.key && (gates === undefined || gates.includes(token.gate)),
  );
}

function isFrom({ from }: User, source: string): boolean {
  return from === undefined || isInAny(source, from);
}
