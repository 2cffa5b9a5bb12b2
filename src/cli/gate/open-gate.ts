import type { KnockStep } from "../../knock/packet.js";
import { type Sending, sendKnock } from "../../knock/send-knock.js";
import { type CommandContext, type Invocation, UsageError } from "../framework/command.js";
import { resolveAddresses } from "./addresses.js";
import type { Supply } from "./supply.js";
import type { Target } from "./target.js";

/** How to open a gate. */
export interface Opening {
  /** `undefined`: as many as is usual. */
  readonly tries: number | undefined;
  readonly family: 4 | 6 | undefined;
  readonly isPingAllowed: boolean;
  /** Is told of each step or knock that was sent. */
  readonly note: (line: string) => void;
}

/** The result of opening a gate. */
export interface Opened<Answer> {
  readonly address: string;
  readonly answer: Answer;
  /** The number of knocks or tokens sent, to all addresses together. */
  readonly knocks: number;
  /** The time from the first packet to the answer, in milliseconds. */
  readonly tookMs: number;
}

/** @throws UsageError */
export function readOpening(invocation: Invocation, { note }: Pick<CommandContext, "note">): Opening {
  const given = invocation.value("tries");
  const tries = given === undefined ? undefined : Number(given);
  if (tries !== undefined && !(Number.isInteger(tries) && tries >= 1 && tries <= 20))
    throw new UsageError("--tries must be a number from 1 to 20");
  if (invocation.has("ipv4") && invocation.has("ipv6"))
    throw new UsageError("-4 and -6 can't be used together");
  return {
    tries,
    family: invocation.has("ipv4") ? 4 : invocation.has("ipv6") ? 6 : undefined,
    isPingAllowed: invocation.has("ping"),
    note: invocation.has("verbose") ? note : () => undefined,
  };
}

/**
 * Sends the knock to one address after the other, and repeats it, until a port accepts a connection. At an address that
 * refuses, nothing listens; the next address is tried, as ssh does. So the result is a refusal only when no address
 * accepts.
 *
 * @param ask probes the port of an address within a time; `undefined` means that nothing came back
 * @returns `undefined` when nothing ever came back
 * @throws KnockgateError `UNREACHABLE`, `HOST_UNFIT`
 */
export async function openGate<Answer>(
  { way }: Pick<Target, "way">,
  { family, isPingAllowed, note }: Omit<Opening, "tries">,
  supply: Supply,
  ask: (address: string, timeoutMs: number) => Promise<Answer | "refused" | undefined>,
): Promise<Opened<Answer | "refused"> | undefined> {
  const addresses = await resolveAddresses(way.host, family);
  const echo = await findEcho(supply, addresses, isPingAllowed);
  const startedAt = process.hrtime.bigint();
  let knocks = 0;
  let fault: unknown;
  let refused: Opened<Answer | "refused"> | undefined;
  let left = addresses;
  for (let attempt = 1; attempt <= Math.max(1, supply.tries) && left.length > 0; attempt += 1) {
    for (const address of left) {
      const steps = await supply.next(address);
      if (steps === undefined) {
        left = [];
        break;
      }
      try {
        await sendKnock(address, steps, { ...echo, onSent: tellStep(supply, steps, address, note) });
      } catch (cause) {
        // This machine may have no route to this address. Another one may be reached.
        fault = cause;
        await supply.giveBack(1);
        continue;
      }
      if (steps.length > 0) knocks += 1;
      const answer = await ask(address, supply.patienceMs(attempt));
      if (answer === undefined) continue;
      const opened = { address, answer, knocks, tookMs: countMs(startedAt) };
      if (answer !== "refused") return opened;
      refused ??= opened;
      left = left.filter((other) => other !== address);
    }
  }
  if (refused !== undefined) return refused;
  if (knocks === 0 && fault !== undefined) throw fault;
  return undefined;
}

function tellStep(
  { word }: Supply,
  { length }: readonly KnockStep[],
  address: string,
  note: Opening["note"],
): (position: number) => void {
  if (word === "token") return () => note(`token sent to ${address}`);
  return (position) => note(`step ${position} of ${length} sent to ${address}`);
}

/** Unlike hrtime, `performance` would have to be loaded first. */
function countMs(startedAt: bigint): number {
  return Number(process.hrtime.bigint() - startedAt) / 1e6;
}

/** Finds out how echo requests are sent, if any are. */
export async function findEcho(
  { isEcho }: Supply,
  addresses: readonly string[],
  isPingAllowed: boolean,
): Promise<Sending> {
  if (!isEcho) return {};
  const { chooseEcho } = await import("./echo.js");
  return chooseEcho(addresses, isPingAllowed);
}
