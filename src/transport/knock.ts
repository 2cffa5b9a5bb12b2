import { connect, isIP } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { KnockgateError, unreachable } from "../errors.js";
import type { KnockStep, PortAnswer } from "./host.js";

/**
 * How long a step may be on its way before the next is sent, when nothing comes back for it: packets that leave
 * together can overtake each other. Below a SYN's first retransmission after 1 s (RFC 6298, 2.1).
 */
const stepPauseMs = 150;

/** What else there is to the sending of a knock. */
export interface Sending {
  /** Is told of each step that was sent, by its position from 1. */
  readonly onSent?: (position: number) => void;
  /** Sends an echo request in perl's place. */
  readonly sendEcho?: (address: string, payloadBytes: number) => Promise<void>;
}

/**
 * Sends the steps of a knock from this machine to an address, in order, each once.
 *
 * @throws KnockgateError `UNREACHABLE`
 */
export async function sendKnock(
  address: string,
  steps: readonly KnockStep[],
  { onSent, sendEcho = sendEchoByPerl }: Sending = {},
): Promise<void> {
  for (const [index, step] of steps.entries()) {
    try {
      await sendStep(address, step, sendEcho);
      onSent?.(index + 1);
    } catch (cause) {
      // What Node says of a datagram that could not be sent ends with its address and port.
      const isOfSystem = cause instanceof Error && "syscall" in cause && "code" in cause;
      const why = isOfSystem ? `${cause.code}` : cause instanceof Error ? cause.message : String(cause);
      throw knockNotSent(address, index + 1, why, cause);
    }
  }
}

/** Says so without the step itself. */
export function knockNotSent(name: string, step: number, why: string, cause?: unknown): KnockgateError {
  const message = `${name}: step ${step} of the knock could not be sent: ${why}`;
  return new KnockgateError("UNREACHABLE", message, { cause });
}

async function sendStep(
  address: string,
  step: KnockStep,
  sendEcho: NonNullable<Sending["sendEcho"]>,
): Promise<void> {
  switch (step.kind) {
    case "tcp":
      await probePort(address, step.port, stepPauseMs);
      return;
    case "udp":
      await sendDatagram(address, step.port, step.payloadBytes ?? 0);
      await pause(stepPauseMs);
      return;
    case "icmpEcho":
      await sendEcho(address, step.payloadBytes);
      return;
    default:
      return unreachable(step);
  }
}

async function sendEchoByPerl(address: string, payloadBytes: number): Promise<void> {
  // To load what starts processes takes longer than to send a knock without such a step.
  const { runPerl } = await import("./local-perl.js");
  const { readFault, tellKnock } = await import("./packet-program.js");
  const fault = readFault(await runPerl(tellKnock(address, [{ kind: "icmpEcho", payloadBytes }])));
  if (fault !== undefined) throw new Error(fault.why);
}

/** Sends one SYN and tells what came back: any answer says that the packet arrived. */
export function probePort(address: string, port: number, timeoutMs: number): Promise<PortAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (answer: PortAnswer): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end("silent"), timeoutMs);
    socket.once("connect", () => end("open"));
    socket.once("error", (error: NodeJS.ErrnoException) => {
      // Only a RST is the host's own answer; an unreachable network is as silent as a dropped packet.
      if (error.code === "ECONNREFUSED") end("refused");
    });
  });
}

async function sendDatagram(address: string, port: number, payloadBytes: number): Promise<void> {
  const { createSocket } = await import("node:dgram");
  const socket = createSocket(isIP(address) === 6 ? "udp6" : "udp4");
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.send(Buffer.alloc(payloadBytes), port, address, (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  } finally {
    socket.close();
  }
}
