import { payloadBytesOf, portOf, type Step, stepKinds } from "../policy/step.js";

/** How many payload sizes there are to choose from: 0 to the largest that fits any packet. */
const sizes = 1_233;

/**
 * Counts the bits that somebody has to guess who knows everything except the steps' ports, sizes and protocols. What an
 * earlier step already has adds nothing: the same port, the same size, the same step as a whole.
 */
export function countBits(steps: readonly Step[]): number {
  const known = new Set<string>();
  const count = (what: string, choices: number): number => {
    if (known.has(what)) return 0;
    known.add(what);
    return Math.log2(choices);
  };
  return steps.reduce((bits, step) => {
    const port = portOf(step);
    const size = payloadBytesOf(step);
    return (
      bits +
      count(`step ${step.kind} ${port} ${size}`, stepKinds.length) +
      (port === undefined ? 0 : count(`port ${port}`, 65_535)) +
      (size === undefined ? 0 : count(`size ${size}`, sizes))
    );
  }, 0);
}

/** Says in words how long a guesser needs on average. */
export function guessingTime(bits: number, triesPerSecond: number): string {
  const seconds = 2 ** (bits - 1) / triesPerSecond;
  const year = 31_557_600;
  if (seconds >= 1e9 * year) return "more than a billion years";
  const units = [
    ["million years", 1e6 * year],
    ["years", year],
    ["days", 86_400],
    ["hours", 3_600],
    ["minutes", 60],
  ] as const;
  const unit = units.find(([, length]) => seconds >= 2 * length);
  return unit === undefined ? `${Math.ceil(seconds)} seconds` : `${Math.round(seconds / unit[1])} ${unit[0]}`;
}
