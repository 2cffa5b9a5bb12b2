import type { Step } from "../policy/policy.js";
import { UsageError } from "./command.js";

/**
 * Reads a step as the command line has it: `tcp:7000`, `udp:8000`, `udp:8000/32` with 32 bytes of payload, `icmp:77`.
 *
 * @throws UsageError without the step: it may be right but for a slip
 */
export function readStepWord(word: string, position: number): Step {
  const [, kind, number = "", size] = /^(tcp|udp|icmp):(\d{1,5})(?:\/(\d{1,4}))?$/.exec(word) ?? [];
  const value = Number(number);
  const isPort = value >= 1 && value <= 65_535;
  if (kind === "tcp" && isPort && size === undefined) return { tcp: value };
  if (kind === "udp" && isPort && size === undefined) return { udp: value };
  if (kind === "udp" && isPort && Number(size) <= 1_232) return { udp: value, udpPayloadBytes: Number(size) };
  if (kind === "icmp" && value <= 1_232 && size === undefined) return { icmpPayloadBytes: value };
  throw new UsageError(
    `step ${position} is none: write tcp:PORT, udp:PORT, udp:PORT/PAYLOAD-BYTES or icmp:PAYLOAD-BYTES`,
  );
}
