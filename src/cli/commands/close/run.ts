import { KnockgateError } from "../../../errors.js";
import { sendKnock } from "../../../knock/send-knock.js";
import type { CommandContext, CommandOutcome, Invocation } from "../../framework/command.js";
import { resolveAddresses } from "../../gate/addresses.js";
import { askTarget } from "../../gate/ask-target.js";
import { makeSupply } from "../../gate/make-supply.js";
import { findEcho, type Opening, readOpening } from "../../gate/open-gate.js";
import { readPort } from "../../gate/read-port.js";
import type { Supply } from "../../gate/supply.js";
import { findTarget, type Target } from "../../gate/target.js";

/** What became of the door at one address. */
type Door = "was closed" | "closed" | "open" | "unknown";

/** Runs `knockgate close`. */
export async function runClose(invocation: Invocation, context: CommandContext): Promise<CommandOutcome> {
  const [host = ""] = invocation.arguments;
  const opening = readOpening(invocation, context);
  const found = await findTarget(host, readPort(invocation.value("port"), "--port"), invocation, context);
  if (found.knock.kind !== "tokens") throw refuseSequence(host, found);
  // Asking would use up the opening, and nothing else.
  const target = found.isSingle ? { ...found, port: undefined } : found;
  const supply = await makeSupply(found.knock, { environment: context.environment, use: "close" });
  const doors = await closeDoors(target, opening, supply);
  const isClosed = doors.every((door) => door !== "open");
  const isKnown = !doors.includes("unknown");
  const remarks = await supply.finish(isKnown ? isClosed : undefined);
  const said = describeDoors(doors, target);
  return {
    exitCode: isClosed ? 0 : 1,
    text: [`${host}: gate ${target.gate} ${said}`, ...remarks.map((line) => `  ${line}`), ""].join("\n"),
    json: {
      host,
      gate: target.gate,
      isOpen: isKnown ? !isClosed : null,
      ...(remarks.length === 0 ? {} : { remarks }),
    },
  };
}

function refuseSequence(host: string, { gate, port }: Target): KnockgateError {
  const why =
    gate === undefined
      ? `no gate of ${host} protects port ${port}`
      : `gate ${gate} of ${host} is opened by a sequence, and only a token can close a door; it closes by itself`;
  return new KnockgateError("ARGUMENTS_INVALID", `${why}. Nothing was sent.`);
}

async function closeDoors(target: Target, opening: Opening, supply: Supply): Promise<readonly Door[]> {
  const { way } = target;
  if (way.proxy !== undefined) {
    const { openByBastion } = await import("../../gate/by-jump-host.js");
    await openByBastion(way.proxy, { way, port: undefined }, opening, supply);
    return ["unknown"];
  }
  const addresses = await resolveAddresses(way.host, opening.family);
  const echo = await findEcho(supply, addresses, opening.isPingAllowed);
  const doors: Door[] = [];
  for (const address of addresses) {
    const send = async () => {
      const steps = await supply.next(address);
      if (steps === undefined) return false;
      await sendKnock(address, steps, { ...echo, onSent: () => opening.note(`token sent to ${address}`) });
      return true;
    };
    doors.push(await closeDoor(target, address, supply.tries, send));
  }
  return doors;
}

/** @param send sends the next token, and tells whether there was one */
async function closeDoor(
  target: Target,
  address: string,
  tries: number,
  send: () => Promise<boolean>,
): Promise<Door> {
  const ask = askTarget(target);
  const before = await ask(address, patienceMs);
  if (before === undefined) return "was closed";
  for (let count = 0; count < tries && (await send()); count += 1) {
    if (before === "unasked") return "unknown";
    if ((await ask(address, patienceMs)) === undefined) return "closed";
  }
  return "open";
}

/** A port that is not gated answers within a round trip. */
const patienceMs = 1_000;

function describeDoors(doors: readonly Door[], { port }: Target): string {
  if (doors.includes("open")) return `is still open: port ${port} answers`;
  if (doors.includes("unknown"))
    return "was told to close; nothing shows from here whether its door is closed";
  if (doors.includes("closed")) return `is closed now: port ${port} is silent`;
  return `was closed already: port ${port} is silent, so nothing was sent`;
}
