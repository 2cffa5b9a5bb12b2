import { type ClientTokens, makeTokenStep } from "../knock/clients/client-knock.js";
import type { TokenStep } from "../knock/packet.js";
import { chooseSlot, longestJump, type SlotChoice, type SlotUse, slotOrders } from "../policy/slots.js";
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
interface Account extends SlotUse {
  /** Earlier slots are not good any more, or not yet there. */
  readonly least: number;
  /** How far the host's clock is ahead of this one. */
  readonly aheadMs: number;
  /** Whether the host said what it holds. */
  readonly isSaid: boolean;
}

const emptyAccount: Account = { used: new Set(), least: 0, aheadMs: 0, isSaid: false, farTries: 0 };

/** How many tokens are tried in a round before something else is. */
export const triesOfTokens = slotOrders.deployer.length;

/**
 * @param now the clock, in milliseconds since 1970
 * @param chance draws a number from 0 to 1, without 1
 */
export function makePurse(now: () => number, chance: () => number = Math.random): Purse {
  const accounts = new Map<string, Account>();
  return {
    begin: (tokens) => {
      const id = nameAccount(tokens);
      let tries = 0;
      let last: number | undefined;
      return {
        next: (use) => {
          const account = accounts.get(id) ?? emptyAccount;
          const choice = chooseNext(account, tries, () => chance() * longestJump(tokens.settings));
          const slot = chooseSlot(
            choice,
            findStart(account, now(), tokens.settings),
            account,
            tokens.settings,
          );
          accounts.set(id, {
            ...account,
            used: new Set([...account.used, slot]),
            farTries: account.farTries + (choice === "far" ? 1 : 0),
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

function chooseNext({ isSaid }: Account, tries: number, drawJump: () => number): SlotChoice {
  const order = isSaid ? slotOrders.told : slotOrders.deployer;
  const choice = order[tries % order.length] ?? 0;
  return choice === "jump" ? 1 + Math.floor(drawJump()) : choice;
}

/** The first slot that may be good. */
function findStart({ least, aheadMs }: Account, nowMs: number, settings: ClientTokens["settings"]): number {
  return Math.max(slotAt(nowMs + aheadMs, settings.slotSeconds), least);
}

/** The label changes with the key and the settings. */
function nameAccount({ host, policy, gate, key, settings }: ClientTokens): string {
  return [host, policy, gate, labelTokens(key, settings)].join(" ");
}
