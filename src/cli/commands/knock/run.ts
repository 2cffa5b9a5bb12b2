import { probePort } from "../../../knock/send-knock.js";
import {
  type CommandContext,
  type CommandOutcome,
  type Invocation,
  UsageError,
} from "../../framework/command.js";
import { type Opened, type Opening, openGate, readOpening } from "../../gate/open-gate.js";
import { readPort } from "../../gate/read-port.js";
import { findTarget, isSshPort, type Target } from "../../gate/target.js";

/** Runs `knockgate knock`. */
export async function runKnock(invocation: Invocation, context: CommandContext): Promise<CommandOutcome> {
  const [host = ""] = invocation.arguments;
  const opening = readOpening(invocation, context);
  const target = await findTarget(host, readPort(invocation.value("port"), "--port"), invocation, context);
  const { port, steps, way } = target;
  if (steps.length === 0)
    throw new UsageError(`no gate of ${host} protects port ${port}: there is nothing to send`);
  if (way.proxy !== undefined) {
    const { openByBastion } = await import("../../gate/by-jump-host.js");
    return describe(host, target, opening, await openByBastion(way.proxy, target, opening), context);
  }
  const opened = await openGate(target, opening, async (address, timeoutMs) => {
    if (port === undefined) return "unasked";
    if (isSshPort(target) || invocation.has("banner")) {
      // Loaded only here: loading child_process takes longer than a knock.
      const { askSsh } = await import("./ask-ssh.js");
      return askSsh(address, port, timeoutMs, invocation.has("banner"));
    }
    const answer = await probePort(address, port, timeoutMs);
    return answer === "silent" ? undefined : answer;
  });
  return describe(host, target, opening, opened, context);
}

function describe(
  host: string,
  target: Target,
  opening: Opening,
  opened: Opened<string> | undefined,
  context: CommandContext,
): CommandOutcome {
  if (opened === undefined) return describeSilence(host, target, opening.tries);
  if (opened.answer === "unasked") return describeSent(host, target, opened);
  return describeOpen(host, target, opened, context.paint("green", "open"));
}

function nameGate(host: string, { gate }: Target): string {
  return gate === undefined ? host : `${host}: gate ${gate}`;
}

function nameBastion({ way }: Target): string {
  return way.proxy === undefined ? "" : ` from ${way.proxy.host}`;
}

function describeOpen(host: string, target: Target, opened: Opened<string>, open: string): CommandOutcome {
  const { address, answer, knocks, tookMs } = opened;
  const milliseconds = Math.round(tookMs);
  const again = knocks > 1 ? `, after ${knocks} knocks` : "";
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

function describeSilence(host: string, target: Target, tries: number): CommandOutcome {
  const tried = tries === 1 ? "one knock" : `${tries} knocks`;
  return {
    exitCode: 1,
    text: `${nameGate(host, target)} stayed closed: port ${target.port} was silent after ${tried}\n`,
    json: { host, ...findGate(target), isOpen: false },
  };
}

function describeSent(host: string, target: Target, { address, knocks }: Opened<string>): CommandOutcome {
  const place = `to ${address}${nameBastion(target)}`;
  return {
    exitCode: 0,
    text: `${nameGate(host, target)}: knock sent ${place}; nothing shows from here whether it is open\n`,
    json: { host, ...findGate(target), isOpen: null, knocks },
  };
}

function findGate({ gate, port }: Target) {
  return { ...(gate === undefined ? {} : { gate }), ...(port === undefined ? {} : { port }) };
}
