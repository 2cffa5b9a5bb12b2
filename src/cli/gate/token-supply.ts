import { writeMinute } from "../../change/utc.js";
import { type ClientTokens, makeTokenStep } from "../../knock/clients/client-knock.js";
import { chooseSlot, firstFree, type SlotChoice, slotOrders } from "../../policy/slots.js";
import { labelTokens, slotAt, tokenOf } from "../../policy/token.js";
import { changeRecord, type SlotRecord } from "../profiles/used-slots.js";
import type { Supply, SupplyContext } from "./supply.js";

/** How long the port has to answer a token. The next try sends another one, so a longer wait would gain nothing. */
const patienceMs = 1_000;

/** What one try takes: see {@link chooseSlot}. */
interface SlotTry {
  readonly choice: SlotChoice;
  readonly start: number;
  /** Whether it counts only for a host that has lost its tokens. */
  readonly isFar: boolean;
}

/** A token that was handed out for an address. */
interface Sent {
  readonly slot: number;
  readonly isFar: boolean;
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
  let tried = 0;
  let order: readonly SlotTry[] = [];
  let sent: readonly Sent[] = [];

  const change = async (alter: (record: SlotRecord) => SlotRecord | undefined): Promise<void> => {
    const isKept = await changeRecord(environment, owner, least, alter);
    if (!isKept) alter({ used: sent.map(({ slot }) => slot) });
  };

  return {
    word: "token",
    tries: tries ?? slotOrders.client.length,
    isEcho: carrier.kind === "icmpEcho",
    patienceMs: () => patienceMs,
    next: async (address) => {
      let slot: number | undefined;
      await change((record) => {
        const used = new Set([...record.used, ...sent.map((one) => one.slot)]);
        if (tried === 0) order = listTries(current, record, used);
        const next = order[tried];
        const farTries = order.slice(0, tried).filter(({ choice }) => choice === "far").length;
        slot = next && chooseSlot(next.choice, next.start, { used, farTries }, settings);
        return slot === undefined ? undefined : { ...record, used: [...used, slot] };
      });
      if (slot === undefined) return undefined;
      sent = [...sent, { slot, isFar: order[tried]?.isFar === true, address }];
      tried += 1;
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
function listTries(current: number, { begins }: SlotRecord, used: ReadonlySet<number>): readonly SlotTry[] {
  const tries = slotOrders.client.map((choice) => ({ choice, start: current, isFar: choice === "far" }));
  const isAhead = begins !== undefined && firstFree(current, used) < begins;
  return isAhead ? [{ choice: 0, start: begins + 1, isFar: true }, ...tries] : tries;
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
