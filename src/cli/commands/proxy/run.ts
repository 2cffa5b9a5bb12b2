import { KnockgateError } from "../../../errors.js";
import { isNothing } from "../../../knock/clients/client-knock.js";
import { describeHangUp, listenForBanner } from "../../../ssh/hang-up.js";
import type { CommandContext, CommandOutcome, Invocation } from "../../framework/command.js";
import { makeSupply } from "../../gate/make-supply.js";
import { openGate, readOpening } from "../../gate/open-gate.js";
import { readPort } from "../../gate/read-port.js";
import type { Supply } from "../../gate/supply.js";
import { findTarget, isSshPort } from "../../gate/target.js";
import { copyBothWays, dialPort } from "./copy.js";

const nothing = { exitCode: 0, text: "", json: undefined } as const;

/** Runs `knockgate proxy`. */
export async function runProxy(invocation: Invocation, context: CommandContext): Promise<CommandOutcome> {
  const [host = "", portWord] = invocation.arguments;
  const opening = readOpening(invocation, context);
  const target = await findTarget(host, readPort(portWord, "PORT"), invocation, context);
  const { way, knock, port = way.port } = target;
  const supply = await makeSupply(knock, { environment: context.environment, tries: opening.tries });
  const explain = async (opened: { readonly answer: unknown } | undefined) => {
    const tried = isNothing(knock) ? "no gate is known for it" : `${supply.word}s sent: ${supply.tries}`;
    const why =
      opened === undefined ? `was silent (${tried})` : "refused the connection: nothing listens there";
    const remarks = await supply.finish(opened !== undefined);
    return new KnockgateError("UNREACHABLE", [`${host}: port ${port} ${why}`, ...remarks].join("; "));
  };
  if (way.proxy !== undefined) {
    const { connectByBastion, openByBastion } = await import("../../gate/by-jump-host.js");
    if (!isNothing(knock)) {
      const asked = target.isSingle ? undefined : port;
      const opened = await openByBastion(way.proxy, { way, port: asked }, opening, supply);
      if (opened === undefined || opened.answer === "refused") throw await explain(opened);
      await tellRemarks(supply, opened.answer === "unasked" ? undefined : true, context);
    }
    await connectByBastion(way.proxy, way.host, port);
    return nothing;
  }
  const opened = await openGate(target, opening, supply, (address, timeoutMs) =>
    dialPort(address, port, timeoutMs),
  );
  if (opened === undefined || opened.answer === "refused") throw await explain(opened);
  await tellRemarks(supply, true, context);
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

async function tellRemarks(
  supply: Supply,
  isOpen: true | undefined,
  { note }: Pick<CommandContext, "note">,
): Promise<void> {
  for (const remark of await supply.finish(isOpen)) note(`knockgate: ${remark}`);
}
