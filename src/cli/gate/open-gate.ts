import { needsEcho } from "../../knock/preflight.js";
import { type Sending, sendKnock } from "../../knock/send-knock.js";
import { type CommandContext, type Invocation, UsageError } from "../framework/command.js";
import { resolveAddresses } from "./addresses.js";
import type { Target } from "./target.js";

/** How long to wait for a port after the first knock. After the second knock it is twice as long, and so on. */
export const patienceMs = 1_000;
/** The wait where there is no knock to send again. */
const plainPatienceMs = 10_000;

/** How to open a gate. */
export interface Opening {
  readonly tries: number;
  readonly family: 4 | 6 | undefined;
  readonly isPingAllowed: boolean;
  /** Is told of each step or knock that was sent. */
  readonly note: (line: string) => void;
}

/** The result of opening a gate. */
export interface Opened<Answer> {
  readonly address: string;
  readonly answer: Answer;
  /** The number of knocks sent, to all addresses together. */
  readonly knocks: number;
  /** The time from the first packet to the answer, in milliseconds. */
  readonly tookMs: number;
}

/** @throws UsageError */
export function readOpening(invocation: Invocation, { note }: Pick<CommandContext, "note">): Opening {
  const tries = Number(invocation.value("tries") ?? 3);
  if (!Number.isInteger(tries) || tries < 1 || tries > 20)
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
  { way, steps }: Target,
  { tries, family, isPingAllowed, note }: Opening,
  ask: (address: string, timeoutMs: number) => Promise<Answer | "refused" | undefined>,
): Promise<Opened<Answer | "refused"> | undefined> {
  const addresses = await resolveAddresses(way.host, family);
  const echo = await findEcho(steps, addresses, isPingAllowed);
  const startedAt = process.hrtime.bigint();
  let knocks = 0;
  let fault: unknown;
  let refused: Opened<Answer | "refused"> | undefined;
  let left = addresses;
  for (let attempt = 1; attempt <= (steps.length === 0 ? 1 : tries); attempt += 1) {
    for (const address of left) {
      const onSent = (position: number) => note(`step ${position} of ${steps.length} sent to ${address}`);
      try {
        await sendKnock(address, steps, { ...echo, onSent });
      } catch (cause) {
        // This machine may have no route to this address. Another one may be reached.
        fault = cause;
        continue;
      }
      if (steps.length > 0) knocks += 1;
      const answer = await ask(address, steps.length === 0 ? plainPatienceMs : patienceMs * attempt);
      if (answer === undefined) continue;
      const opened = { address, answer, knocks, tookMs: countMs(startedAt) };
      if (answer !== "refused") return opened;
      refused ??= opened;
      left = left.filter((other) => other !== address);
    }
    if (left.length === 0) break;
  }
  if (refused !== undefined) return refused;
  if (knocks === 0 && fault !== undefined) throw fault;
  return undefined;
}

/** Unlike hrtime, `performance` would have to be loaded first. */
function countMs(startedAt: bigint): number {
  return Number(process.hrtime.bigint() - startedAt) / 1e6;
}

async function findEcho(
  steps: Target["steps"],
  addresses: readonly string[],
  isPingAllowed: boolean,
): Promise<Sending> {
  if (!needsEcho(steps)) return {};
  const { chooseEcho } = await import("./echo.js");
  return chooseEcho(addresses, isPingAllowed);
}
