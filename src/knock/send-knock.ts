import { connect, isIP } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { KnockgateError, unreachable } from "../errors.js";
import type { KnockStep, PortAnswer, TokenStep } from "./packet.js";
import { writeTokenPayload } from "./token-payload.js";

/**
 * How long to wait for an answer to a step before the next one is sent. Packets that leave together can overtake each
 * other. Must be below 1 s, the time to a SYN's first retransmission (RFC 6298, 2.1).
 */
const stepPauseMs = 150;

/**
 * How long to wait after a token. It is one packet, so nothing of the knock can overtake it. What comes next is the
 * connection itself, which must not arrive first.
 */
const tokenPauseMs = 20;

/** A step that is an echo request. */
export type EchoStep =
  | Extract<KnockStep, { readonly kind: "icmpEcho" }>
  | (TokenStep & { readonly carrier: { readonly kind: "icmpEcho" } });

/** Options for sending a knock. */
export interface Sending {
  /** Is called after each step was sent, with its position from 1. */
  readonly onSent?: (position: number) => void;
  /** Sends an echo request. Default: perl does. */
  readonly sendEcho?: (address: string, step: EchoStep) => Promise<void>;
}

/**
 * Sends the steps of a knock from this machine to an address, in order, each once.
 *
 * @throws KnockgateError `UNREACHABLE` when a step could not be sent
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
      // Node's message about a datagram that could not be sent ends with its address and port, so only the code is
      // shown.
      const isOfSystem = cause instanceof Error && "syscall" in cause && "code" in cause;
      const why = isOfSystem ? `${cause.code}` : cause instanceof Error ? cause.message : String(cause);
      throw knockNotSent(address, index + 1, why, cause);
    }
  }
}

/** The error names the position of the step, and does not show the step. */
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
      await sendDatagram(address, step.port, Buffer.alloc(step.payloadBytes ?? 0));
      await pause(stepPauseMs);
      return;
    case "icmpEcho":
      await sendEcho(address, step);
      return;
    case "token":
      return sendToken(address, step, sendEcho);
    default:
      return unreachable(step);
  }
}

async function sendToken(
  address: string,
  step: TokenStep,
  sendEcho: NonNullable<Sending["sendEcho"]>,
): Promise<void> {
  const { carrier } = step;
  switch (carrier.kind) {
    case "udp":
      await sendDatagram(address, carrier.port, writeTokenPayload(step));
      await pause(tokenPauseMs);
      return;
    case "icmpEcho":
      await sendEcho(address, { ...step, carrier });
      return;
    default:
      return unreachable(carrier);
  }
}

async function sendEchoByPerl(address: string, step: EchoStep): Promise<void> {
  // Loaded only here: loading child_process takes longer than sending a knock without such a step.
  const { runPerl } = await import("./local-perl.js");
  const { readFault, tellKnock } = await import("./packet-program.js");
  const fault = readFault(await runPerl(tellKnock(address, [step])));
  if (fault !== undefined) throw new Error(fault.why);
}

/** Sends one SYN and reports the answer. Any answer means that the packet arrived. */
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
      // Only a RST is an answer of the host. An unreachable network counts as silent, like a dropped packet.
      if (error.code === "ECONNREFUSED") end("refused");
    });
  });
}

async function sendDatagram(address: string, port: number, payload: Buffer): Promise<void> {
  const { createSocket } = await import("node:dgram");
  const socket = createSocket(isIP(address) === 6 ? "udp6" : "udp4");
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.send(payload, port, address, (error) => (error === null ? resolve() : reject(error)));
    });
  } finally {
    socket.close();
  }
}
