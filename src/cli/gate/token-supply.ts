import { writeMinute } from "../../change/utc.js";
import { type ClientTokens, makeTokenStep } from "../../knock/clients/client-knock.js";
import { firstFree, horizonSlots, listSlotsToTry } from "../../policy/slots.js";
import { labelTokens, slotAt, tokenOf } from "../../policy/token.js";
import { changeRecord, type SlotRecord } from "../profiles/used-slots.js";
import type { Supply, SupplyContext } from "./supply.js";

/** How long the port has to answer a token. The next try sends another one, so a longer wait would gain nothing. */
const patienceMs = 1_000;

/** A slot that a client may try. */
interface Candidate {
  readonly slot: number;
  /** Whether it counts only for a host that has lost its tokens. */
  readonly isFar: boolean;
}

/** A token that was handed out for an address. */
interface Sent extends Candidate {
  readonly address: string;
}

/**
 * Supplies tokens of one user for one gate of one host. No two processes get the token of one slot: the slots that were
 * sent are kept beside the profiles.
 *
 * @param now the clock, in milliseconds since 1970
 */
export function supplyTokens(
  tokens: ClientTokens,
  { environment, tries, use = "open" }: SupplyContext,
  now: () => number = Date.now,
): Supply {
  const { key, policy, gate, host, user, settings, carrier } = tokens;
  const owner = [host, policy, gate, user, labelTokens(key, settings)].join(" ");
  const startMs = now();
  const current = slotAt(startMs, settings.slotSeconds);
  const least = current - Math.ceil(settings.graceSeconds / settings.slotSeconds) - 1;
  let left: readonly Candidate[] | undefined;
  let sent: readonly Sent[] = [];

  const change = async (alter: (record: SlotRecord) => SlotRecord | undefined): Promise<void> => {
    const isKept = await changeRecord(environment, owner, least, alter);
    if (!isKept) alter({ used: sent.map(({ slot }) => slot) });
  };

  return {
    word: "token",
    tries: tries ?? listSlotsToTry(startMs, settings).length,
    isEcho: carrier.kind === "icmpEcho",
    patienceMs: () => patienceMs,
    next: async (address) => {
      let taken: Candidate | undefined;
      await change((record) => {
        const used = new Set([...record.used, ...sent.map(({ slot }) => slot)]);
        left ??= listCandidates(startMs, settings, record, used);
        [taken, left] = takeFirst(left, used);
        return taken && { ...record, used: [...used, taken.slot] };
      });
      if (taken === undefined) return undefined;
      const { slot } = taken;
      sent = [...sent, { ...taken, address }];
      return [makeTokenStep(carrier, tokenOf(key, { policy, gate, host, slot }), use)];
    },
    giveBack: async (count) => {
      const back = new Set(sent.slice(sent.length - count).map(({ slot }) => slot));
      sent = sent.slice(0, sent.length - count);
      if (back.size > 0)
        await change((record) => ({ ...record, used: record.used.filter((slot) => !back.has(slot)) }));
    },
    finish: async (isOpen) => {
      const last = sent.at(-1);
      if (isOpen === undefined || last === undefined) return [];
      if (!isOpen) return describeClosed(tokens, sent.length, startMs);
      const begins = last.isFar ? last.slot : undefined;
      await change((record) => (record.begins === begins ? undefined : { used: record.used, begins }));
      return describeOpened(tokens, current, sent);
    },
  };
}

/** Lists what to try, in order. If the host took only far slots the last time, the one after that comes first. */
function listCandidates(
  startMs: number,
  settings: ClientTokens["settings"],
  { begins }: SlotRecord,
  used: ReadonlySet<number>,
): readonly Candidate[] {
  const slots = listSlotsToTry(startMs, settings, used);
  const current = slotAt(startMs, settings.slotSeconds);
  const all = slots.map((slot) => ({ slot, isFar: slot - current >= horizonSlots(settings) }));
  const isAhead = begins !== undefined && all.every(({ slot, isFar }) => isFar || slot < begins);
  return isAhead ? [{ slot: begins + 1, isFar: true }, ...all] : all;
}

/** Takes the first one that is still free. Of far slots, the next one will do as well. */
function takeFirst(
  candidates: readonly Candidate[],
  used: ReadonlySet<number>,
): [Candidate | undefined, readonly Candidate[]] {
  const index = candidates.findIndex(({ slot, isFar }) => isFar || !used.has(slot));
  const found = candidates[index];
  const rest = candidates.slice(index + 1);
  if (found === undefined) return [undefined, []];
  return [{ ...found, slot: firstFree(found.slot, used) }, rest];
}

/** Says why an earlier token at the same address was not taken. */
function describeOpened(
  { settings }: ClientTokens,
  current: number,
  sent: readonly Sent[],
): readonly string[] {
  const last = sent.at(-1);
  const earlier = sent.slice(0, -1).filter(({ address, isFar }) => address === last?.address && !isFar);
  if (last === undefined || earlier.length === 0) return [];
  const { slotSeconds, graceSeconds } = settings;
  if (last.isFar) {
    const from = writeMinute(last.slot * slotSeconds);
    return [
      `the host has lost its tokens (a reboot?) and takes tokens from ${from} on, or from some time before`,
    ];
  }
  const minutes = Math.max(1, Math.round(((last.slot - current) * slotSeconds + graceSeconds) / 60));
  const behind = `your clock is behind by about ${minutes} ${minutes === 1 ? "minute" : "minutes"}`;
  return [
    earlier.length === 1 ? `an earlier token was lost or used by another client, or ${behind}` : behind,
  ];
}

function describeClosed(
  { user, host, settings }: ClientTokens,
  count: number,
  nowMs: number,
): readonly string[] {
  const tokens = count === 1 ? "one token was" : `${count} tokens were`;
  return [
    `no token was taken: ${tokens} sent for user ${user} at host ${host}. Likely causes:`,
    `your clock is wrong: it is ${writeMinute(nowMs / 1_000)} here`,
    `the user has another key now, or was removed: add the profile again`,
    `the packets do not arrive: a network on the way drops them`,
    "the user's tokens count only from other addresses",
    "another client has used the tokens of these minutes: wait some minutes",
    `the host has had no tokens to take for ${settings.horizonDays} days: see knockgate status`,
  ];
}
