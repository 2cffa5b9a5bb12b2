import type { Step } from "../policy/policy.js";

/** Payload sizes that a chooser would take: up to what fits any packet. */
const sizes = 1_233;

/** How many bits a guesser has to guess, who knows all but the steps' ports, sizes and protocols. */
export function countBits(steps: readonly Step[]): number {
  const kinds = Math.log2(3);
  return steps.reduce((bits, step) => {
    const port = step.icmpPayloadBytes === undefined ? Math.log2(65_535) : 0;
    const size = (step.icmpPayloadBytes ?? step.udpPayloadBytes) === undefined ? 0 : Math.log2(sizes);
    return bits + kinds + port + size;
  }, 0);
}

/** How long a guesser needs on average, in words. */
export function guessingTime(bits: number, triesPerSecond: number): string {
  const seconds = 2 ** (bits - 1) / triesPerSecond;
  const units = [
    ["years", 31_557_600],
    ["days", 86_400],
    ["hours", 3_600],
    ["minutes", 60],
  ] as const;
  const unit = units.find(([, length]) => seconds >= 2 * length);
  return unit === undefined ? `${Math.ceil(seconds)} seconds` : `${Math.round(seconds / unit[1])} ${unit[0]}`;
}
