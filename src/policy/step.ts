import { unreachable } from "../errors.js";
import type { Protocol } from "./port.js";

/** One packet of a knock as users write it: exactly one of `tcp`, `udp` and `icmpPayloadBytes`. */
export interface StepInput {
  readonly tcp?: number | undefined;
  readonly udp?: number | undefined;
  readonly icmpPayloadBytes?: number | undefined;
  /** Only for `udp`. `undefined`: any size. */
  readonly udpPayloadBytes?: number | undefined;
}

/**
 * A step as it is written. A field without a value is absent, and not `undefined` (`exactOptionalPropertyTypes` tells
 * these apart).
 */
type WrittenStep = { readonly [Field in keyof StepInput]?: number };

/** One packet of a knock. Only this file reads it from a {@link StepInput}, and writes it as one. */
export type Step =
  | { readonly kind: "tcp"; readonly port: number }
  /** A datagram. `payloadBytes` is `undefined`: of any size. */
  | { readonly kind: "udp"; readonly port: number; readonly payloadBytes?: number | undefined }
  | { readonly kind: "icmpEcho"; readonly payloadBytes: number };

/** For each kind of step: the field of a {@link StepInput} that makes it this kind. */
export const stepFields = {
  tcp: "tcp",
  udp: "udp",
  icmpEcho: "icmpPayloadBytes",
} as const satisfies Readonly<Record<Step["kind"], keyof StepInput>>;

/** All kinds of steps. */
export const stepKinds = Object.keys(stepFields) as readonly Step["kind"][];

/** For each kind of step: the protocol of the port that its packet goes to. `undefined`: it has no port. */
export const stepProtocols = {
  tcp: "tcp",
  udp: "udp",
  icmpEcho: undefined,
} as const satisfies Readonly<Record<Step["kind"], Protocol | undefined>>;

/** Reads a step whose fields were already checked. */
export function readStep(input: StepInput): Step {
  const kind = stepKinds.find((one) => input[stepFields[one]] !== undefined);
  switch (kind) {
    case undefined:
      throw new Error("a step has no kind"); // the schema refuses it before
    case "tcp":
      return { kind, port: Number(input.tcp) };
    case "udp": {
      const port = Number(input.udp);
      const size = input.udpPayloadBytes;
      return size === undefined ? { kind, port } : { kind, port, payloadBytes: size };
    }
    case "icmpEcho":
      return { kind, payloadBytes: Number(input.icmpPayloadBytes) };
    default:
      return unreachable(kind);
  }
}

/** Writes a step in the shape that users write. States, outputs and profiles have this shape. */
export function writeStep(step: Step): WrittenStep {
  switch (step.kind) {
    case "tcp":
      return { tcp: step.port };
    case "udp":
      return step.payloadBytes === undefined
        ? { udp: step.port }
        : { udp: step.port, udpPayloadBytes: step.payloadBytes };
    case "icmpEcho":
      return { icmpPayloadBytes: step.payloadBytes };
    default:
      return unreachable(step);
  }
}

/** Whether one packet could be either step. Then a repeated packet looks like the next step. */
export function sameStep(one: Step, other: Step): boolean {
  switch (one.kind) {
    case "tcp":
      return other.kind === "tcp" && one.port === other.port;
    case "udp":
      return (
        other.kind === "udp" &&
        one.port === other.port &&
        (one.payloadBytes ?? other.payloadBytes) === (other.payloadBytes ?? one.payloadBytes)
      );
    case "icmpEcho":
      return other.kind === "icmpEcho" && one.payloadBytes === other.payloadBytes;
    default:
      return unreachable(one);
  }
}

/** The port that a step's packet goes to. `undefined`: it has none. */
export function portOf(step: Step): number | undefined {
  switch (step.kind) {
    case "tcp":
    case "udp":
      return step.port;
    case "icmpEcho":
      return undefined;
    default:
      return unreachable(step);
  }
}

/** How many bytes of payload a step's packet must have. `undefined`: the size does not matter. */
export function payloadBytesOf(step: Step): number | undefined {
  switch (step.kind) {
    case "tcp":
      return undefined;
    case "udp":
    case "icmpEcho":
      return step.payloadBytes;
    default:
      return unreachable(step);
  }
}
