import { type ClientTokens, makeTokenStep } from "../knock/clients/client-knock.js";
import type { TokenStep } from "../knock/packet.js";
import { firstFree, horizonSlots } from "../policy/slots.js";
import { labelTokens, slotAt, tokenOf } from "../policy/token.js";

/** Hands out the tokens of one process, each of them once. Each key has an account for each gate of each host. */
export interface Purse {
  /** Begins a series of tries to open, or to close, one gate. */
  begin(tokens: ClientTokens): TokenSeries;
  /** Notes what the host said of its tokens. */
  learn(tokens: ClientTokens, said: SaidTokens): void;
}

export interface TokenSeries {
  /** Makes the packet with the next token. Secret. */
  next(use: TokenStep["use"]): TokenStep;
  /** Notes that the last token was taken. The next ones begin after it. */
  succeed(): void;
}

/** What a host says of its tokens, in seconds since 1970. */
interface SaidTokens {
  /** When the first slot that it holds begins. */
  readonly from: number;
  /** Its clock. Default: the same as here. */
  readonly clock?: number | undefined;
}

/** What is known of one key at one gate. */
interface Account {
  readonly used: ReadonlySet<number>;
  /** Earlier slots are not good any more, or not yet there. */
  readonly least: number;
  /** How far the host's clock is ahead of this one. */
  readonly aheadMs: number;
  /** Whether the host said what it holds. */
  readonly isSaid: boolean;
  /** How many slots far ahead were tried. */
  readonly farTries: number;
}

const emptyAccount: Account = { used: new Set(), least: 0, aheadMs: 0, isSaid: false, farTries: 0 };

/** A slot beyond the horizon: the host begins there when it has lost its tokens. */
const far = "far";

/**
 * What the tries of a series take, counted in slots from the first free one. Another process of this user may have
 * used the present slots some seconds ago. So the second try is not the next slot.
 */
const orders = { unknown: [0, 4, far, 12], said: [0, 0, 4, far] } as const;

/** How many tokens are tried in a round before something else is. */
export const triesOfTokens = orders.unknown.length;

/** How many losses of its tokens a host may have had since it was last reached. */
const mostLosses = 3;

/** @param now the clock, in milliseconds since 1970 */
export function makePurse(now: () => number): Purse {
  const accounts = new Map<string, Account>();
  return {
    begin: (tokens) => {
      const id = nameAccount(tokens);
      let tries = 0;
      let last: number | undefined;
      return {
        next: (use) => {
          const account = accounts.get(id) ?? emptyAccount;
          const slot = chooseSlot(account, tries, now(), tokens.settings);
          const isFar = orderOf(account, tries) === far;
          accounts.set(id, {
            ...account,
            used: new Set([...account.used, slot]),
            farTries: account.farTries + (isFar ? 1 : 0),
          });
          tries += 1;
          last = slot;
          return makeTokenStep(tokens.carrier, tokenOf(tokens.key, { ...tokens, slot }), use);
        },
        succeed: () => {
          const account = accounts.get(id) ?? emptyAccount;
          if (last !== undefined) accounts.set(id, { ...account, least: Math.max(account.least, last) });
          tries = 0;
        },
      };
    },
    learn: (tokens, { from, clock }) => {
      const id = nameAccount(tokens);
      const account = accounts.get(id) ?? emptyAccount;
      const least = Math.max(account.least, slotAt(from * 1_000, tokens.settings.slotSeconds));
      const aheadMs = clock === undefined ? 0 : Math.max(0, clock * 1_000 - now());
      accounts.set(id, { ...account, least, aheadMs, isSaid: true });
    },
  };
}

/** Chooses the slot of the next try. Never one that was used. */
function chooseSlot(
  account: Account,
  tries: number,
  nowMs: number,
  settings: ClientTokens["settings"],
): number {
  const { used, least, aheadMs, farTries } = account;
  const start = firstFree(Math.max(slotAt(nowMs + aheadMs, settings.slotSeconds), least), used);
  const offset = orderOf(account, tries);
  const losses = 1 + (farTries % mostLosses);
  return firstFree(start + (offset === far ? losses * (horizonSlots(settings) + 1) : offset), used);
}

function orderOf({ isSaid }: Account, tries: number): number | typeof far {
  const order = isSaid ? orders.said : orders.unknown;
  return order[tries % order.length] ?? 0;
}

/** The label changes with the key and the settings. */
function nameAccount({ host, policy, gate, key, settings }: ClientTokens): string {
  return [host, policy, gate, labelTokens(key, settings)].join(" ");
}
