import type { Packet, SentToken } from "../model/packet.js";
import type { Policy } from "../policy/policy.js";
import { horizonSlots, mostLosses } from "../policy/slots.js";
import { slotAt, tokenOf } from "../policy/token.js";
import { listTokenGates, listUsersOf } from "../policy/user.js";
import type { CapturedPacket } from "./capture/captured-packet.js";

/** How far the clock of a client may be from that of whoever captured, so that its tokens are still recognized. */
const farthestSeconds = 3_600;

/** Puts what a token was made from into each packet whose token a user of the policy can have made for a host. */
export function recognizeTokens(
  policy: Policy,
  host: string,
  packets: readonly CapturedPacket[],
): readonly CapturedPacket[] {
  const times = packets.flatMap(({ token, atMs }) => (token === undefined ? [] : [atMs]));
  if (times.length === 0) return packets;
  const known = listTokens(policy, host, times[0] ?? 0, times.at(-1) ?? 0);
  return packets.map((packet) => {
    const sent = known.get(packet.token ?? "");
    return sent === undefined ? packet : { ...packet, kind: addToken(packet.kind, sent) };
  });
}

function addToken(kind: Packet["kind"], token: SentToken): Packet["kind"] {
  return kind.kind === "udp" || kind.kind === "echo" ? { ...kind, token } : kind;
}

/** Lists the tokens around a time. Beyond the horizon are those that a host holds after it lost all of them. */
function listTokens(
  policy: Policy,
  host: string,
  firstMs: number,
  lastMs: number,
): ReadonlyMap<string, SentToken> {
  const { slotSeconds } = policy.tokens;
  const far = Math.ceil(farthestSeconds / slotSeconds);
  const [first, last] = [slotAt(firstMs, slotSeconds) - far, slotAt(lastMs, slotSeconds) + far];
  const beyond = horizonSlots(policy.tokens) + 1;
  const slots = Array.from({ length: mostLosses + 1 }, (_, losses) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index + losses * beyond),
  ).flat();
  return new Map(
    listTokenGates(policy).flatMap(({ name: gate }) =>
      listUsersOf(policy, gate).flatMap(({ key }) =>
        slots.map((slot): readonly [string, SentToken] => {
          const purpose = { policy: policy.name, gate, host, slot };
          return [tokenOf(key, purpose), { ...purpose, key }];
        }),
      ),
    ),
  );
}
