import { KnockgateError } from "../../../errors.js";
import { describeHangUp, listenForBanner } from "../../../ssh/hang-up.js";
import type { CommandContext, CommandOutcome, Invocation } from "../../framework/command.js";
import { openGate, readOpening } from "../../gate/open-gate.js";
import { readPort } from "../../gate/read-port.js";
import { findTarget, isSshPort } from "../../gate/target.js";
import { copyBothWays, dialPort } from "./copy.js";

const nothing = { exitCode: 0, text: "", json: undefined } as const;

/** Runs `knockgate proxy`. */
export async function runProxy(invocation: Invocation, context: CommandContext): Promise<CommandOutcome> {
  const [host = "", portWord] = invocation.arguments;
  const opening = readOpening(invocation, context);
  const target = await findTarget(host, readPort(portWord, "PORT"), invocation, context);
  const { way, steps, port = way.port } = target;
  const explain = (opened: object | undefined) => {
    const knocked = steps.length === 0 ? "no gate is known for it" : `knocks sent: ${opening.tries}`;
    const why =
      opened === undefined ? `was silent (${knocked})` : "refused the connection: nothing listens there";
    return new KnockgateError("UNREACHABLE", `${host}: port ${port} ${why}`);
  };
  if (way.proxy !== undefined) {
    const { connectByBastion, openByBastion } = await import("../../gate/by-jump-host.js");
    if (steps.length > 0) {
      const opened = await openByBastion(way.proxy, { ...target, port }, opening);
      if (opened === undefined || opened.answer === "refused") throw explain(opened);
    }
    await connectByBastion(way.proxy, way.host, port);
    return nothing;
  }
  const opened = await openGate(target, opening, (address, timeoutMs) => dialPort(address, port, timeoutMs));
  if (opened === undefined || opened.answer === "refused") throw explain(opened);
  if (!isSshPort({ ...target, port })) {
    await copyBothWays(opened.answer, context.input, context.output);
    return nothing;
  }
  const beginning = listenForBanner();
  await copyBothWays(opened.answer, context.input, context.output, beginning.hear);
  // ssh itself says only "Connection closed by remote host".
  if (!beginning.isSsh) throw new KnockgateError("UNREACHABLE", `${host}: ${describeHangUp(beginning.said)}`);
  return nothing;
}
