import type { Step } from "../../policy/step.js";
import { UsageError } from "../framework/command.js";

/** Reads the numbers after the kind: `PORT`, `PORT/PAYLOAD-BYTES` or `PAYLOAD-BYTES`. */
type ReadNumbers = (number: number, size: number | undefined) => Step | undefined;

const readers: { readonly [Kind in Step["kind"]]: { readonly word: string; readonly read: ReadNumbers } } = {
  tcp: {
    word: "tcp",
    read: (port, size) => (isPort(port) && size === undefined ? { kind: "tcp", port } : undefined),
  },
  udp: {
    word: "udp",
    read: (port, size) => {
      if (!isPort(port) || (size !== undefined && !isSize(size))) return undefined;
      return size === undefined ? { kind: "udp", port } : { kind: "udp", port, payloadBytes: size };
    },
  },
  icmpEcho: {
    word: "icmp",
    read: (payloadBytes, size) =>
      isSize(payloadBytes) && size === undefined ? { kind: "icmpEcho", payloadBytes } : undefined,
  },
};

/**
 * Reads a step of the command line: `tcp:7000`, `udp:8000`, `udp:8000/32` with 32 bytes of payload, or `icmp:77`.
 *
 * @throws UsageError, without the step: it may be a right one with a typing error
 */
export function readStepWord(word: string, position: number): Step {
  const [, kind, number, size] = /^([a-z]+):(\d{1,5})(?:\/(\d{1,4}))?$/.exec(word) ?? [];
  const reader = Object.values(readers).find((one) => one.word === kind);
  const step = reader?.read(Number(number), size === undefined ? undefined : Number(size));
  if (step !== undefined) return step;
  throw new UsageError(
    `step ${position} is not a step: write tcp:PORT, udp:PORT, udp:PORT/PAYLOAD-BYTES or icmp:PAYLOAD-BYTES`,
  );
}

function isPort(value: number): boolean {
  return value >= 1 && value <= 65_535;
}

function isSize(value: number): boolean {
  return value <= 1_232;
}
