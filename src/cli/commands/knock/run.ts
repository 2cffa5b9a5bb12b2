import { isNothing } from "../../../knock/clients/client-knock.js";
import {
  type CommandContext,
  type CommandOutcome,
  type Invocation,
  UsageError,
} from "../../framework/command.js";
import { askTarget } from "../../gate/ask-target.js";
import { makeSupply } from "../../gate/make-supply.js";
import { type Opened, type Opening, openGate, readOpening } from "../../gate/open-gate.js";
import { readPort } from "../../gate/read-port.js";
import type { Supply } from "../../gate/supply.js";
import { findTarget, type Target } from "../../gate/target.js";

/** Runs `knockgate knock`. */
export async function runKnock(invocation: Invocation, context: CommandContext): Promise<CommandOutcome> {
  const [host = ""] = invocation.arguments;
  const opening = readOpening(invocation, context);
  const target = await findTarget(host, readPort(invocation.value("port"), "--port"), invocation, context);
  if (isNothing(target.knock))
    throw new UsageError(`no gate of ${host} protects port ${target.port}: there is nothing to send`);
  const supply = await makeSupply(target.knock, { environment: context.environment, tries: opening.tries });
  // Asking would use up the opening.
  const asked = target.isSingle ? { ...target, port: undefined } : target;
  const opened = await open(asked, opening, supply, invocation.has("banner"));
  const isOpen = opened?.answer === "unasked" ? undefined : opened !== undefined;
  const remarks = await supply.finish(isOpen);
  const outcome = describe(host, asked, opened, supply, context);
  return { ...outcome, ...addRemarks(outcome, remarks) };
}

async function open(
  target: Target,
  opening: Opening,
  supply: Supply,
  waitsForBanner: boolean,
): Promise<Opened<string> | undefined> {
  const { way } = target;
  if (way.proxy !== undefined) {
    const { openByBastion } = await import("../../gate/by-jump-host.js");
    return openByBastion(way.proxy, target, opening, supply);
  }
  return openGate(target, opening, supply, askTarget(target, waitsForBanner));
}

function addRemarks({ text, json }: CommandOutcome, remarks: readonly string[]) {
  if (remarks.length === 0) return {};
  return {
    text: `${text}${remarks.map((line) => `  ${line}\n`).join("")}`,
    json: { ...Object(json), remarks },
  };
}

function describe(
  host: string,
  target: Target,
  opened: Opened<string> | undefined,
  supply: Supply,
  context: CommandContext,
): CommandOutcome {
  if (opened === undefined) return describeSilence(host, target, supply);
  if (opened.answer === "unasked") return describeSent(host, target, opened, supply);
  return describeOpen(host, target, opened, supply, context.paint("green", "open"));
}

function nameGate(host: string, { gate }: Target): string {
  return gate === undefined ? host : `${host}: gate ${gate}`;
}

function nameBastion({ way }: Target): string {
  return way.proxy === undefined ? "" : ` from ${way.proxy.host}`;
}

function describeOpen(
  host: string,
  target: Target,
  opened: Opened<string>,
  { word }: Supply,
  open: string,
): CommandOutcome {
  const { address, answer, knocks, tookMs } = opened;
  const milliseconds = Math.round(tookMs);
  const again = knocks > 1 ? `, after ${knocks} ${word}s` : "";
  const nobody = answer === "refused" ? "; nothing listens there" : "";
  const where = `port ${target.port} of ${address} answers${nameBastion(target)}`;
  return {
    exitCode: 0,
    text: `${nameGate(host, target)} is ${open} after ${milliseconds} ms${again}: ${where}${nobody}\n`,
    json: {
      host,
      ...findGate(target),
      address,
      isOpen: true,
      isListening: answer === "open",
      knocks,
      milliseconds,
    },
  };
}

function describeSilence(host: string, target: Target, { word, tries }: Supply): CommandOutcome {
  const tried = tries === 1 ? `one ${word}` : `${tries} ${word}s`;
  return {
    exitCode: 1,
    text: `${nameGate(host, target)} stayed closed: port ${target.port} was silent after ${tried}\n`,
    json: { host, ...findGate(target), isOpen: false },
  };
}

function describeSent(
  host: string,
  target: Target,
  { address, knocks }: Opened<string>,
  { word }: Supply,
): CommandOutcome {
  const place = `to ${address}${nameBastion(target)}`;
  const why = target.isSingle
    ? "asking would use up the opening"
    : "nothing shows from here whether it is open";
  return {
    exitCode: 0,
    text: `${nameGate(host, target)}: ${word} sent ${place}; ${why}\n`,
    json: { host, ...findGate(target), isOpen: null, knocks },
  };
}

function findGate({ gate, port }: Target) {
  return { ...(gate === undefined ? {} : { gate }), ...(port === undefined ? {} : { port }) };
}
