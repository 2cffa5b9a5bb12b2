import { writeMinute } from "../../change/utc.js";
import { type ClientTokens, makeTokenStep } from "../../knock/clients/client-knock.js";
import { countLateSlots, nameSlotList } from "../../knock/clients/used-slots.js";
import { chooseSlot, firstFree, type SlotChoice, slotOrders } from "../../policy/slots.js";
import { slotAt, tokenOf } from "../../policy/token.js";
import { openSlotList, type SlotRecord } from "../profiles/used-slots.js";
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
  const { key, policy, gate, host, settings, carrier } = tokens;
  const startMs = now();
  const current = slotAt(startMs, settings.slotSeconds);
  const list = openSlotList(environment, nameSlotList(tokens), current - countLateSlots(tokens));
  /** Slots that were sent here, or that another process has taken. */
  const gone = new Set<number>();
  let tried = 0;
  let order: readonly SlotTry[] = [];
  let sent: readonly Sent[] = [];

  const chooseNext = async (): Promise<number | undefined> => {
    const { used, begins } = await list.read();
    const known = new Set([...used, ...gone]);
    if (tried === 0) order = listTries(current, begins, known);
    const next = order[tried];
    const farTries = order.slice(0, tried).filter(({ choice }) => choice === "far").length;
    return next && chooseSlot(next.choice, next.start, { used: known, farTries }, settings);
  };

  return {
    word: "token",
    tries: tries ?? slotOrders.client.length,
    isEcho: carrier.kind === "icmpEcho",
    patienceMs: () => patienceMs,
    next: async (address) => {
      let slot = await chooseNext();
      while (slot !== undefined && !(await list.take(slot))) {
        gone.add(slot);
        slot = await chooseNext();
      }
      if (slot === undefined) return undefined;
      gone.add(slot);
      sent = [...sent, { slot, isFar: order[tried]?.isFar === true, address }];
      tried += 1;
      return [makeTokenStep(carrier, tokenOf(key, { policy, gate, host, slot }), use)];
    },
    giveBack: async (count) => {
      const back = sent.slice(sent.length - count).map(({ slot }) => slot);
      sent = sent.slice(0, sent.length - count);
      for (const slot of back) gone.delete(slot);
      await list.giveBack(back);
    },
    finish: async (isOpen) => {
      const last = sent.at(-1);
      if (isOpen === undefined || last === undefined) return [];
      if (!isOpen) return describeClosed(tokens, sent.length, startMs);
      await list.keepBegins(last.isFar ? last.slot : undefined);
      return describeOpened(tokens, current, sent);
    },
  };
}

/** Lists what to try, in order. If the host took only far slots the last time, the one after that comes first. */
function listTries(
  current: number,
  begins: SlotRecord["begins"],
  used: ReadonlySet<number>,
): readonly SlotTry[] {
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
      `your clock is behind, or the host has lost its tokens (a reboot?) and takes tokens from ${from} on, or from some time before`,
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
