/** An inclusive range of ports. A single port is a range of one. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export type Protocol = "tcp" | "udp";

const hasPorts: Readonly<Record<Protocol, true>> = { tcp: true, udp: true };

/** The protocols that have ports. */
export const protocols = Object.keys(hasPorts) as readonly Protocol[];

const portRangePattern = /^(?<first>[1-9]\d{0,4})(?:-(?<last>[1-9]\d{0,4}))?$/;

/**
 * Reads `"22"` or `"8000-8010"`. Returns `undefined` when the text is neither, when a port is outside 1 to 65535, or
 * when the last port is below the first.
 */
export function parsePortRange(text: string): PortRange | undefined {
  const groups = portRangePattern.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const first = Number(groups["first"]);
  const last = Number(groups["last"] ?? groups["first"]);
  return first <= last && last <= 65_535 ? { first, last } : undefined;
}

/** Writes a range as {@link parsePortRange} reads it. nftables writes it in the same way. */
export function formatPortRange(range: PortRange): string {
  return range.first === range.last ? `${range.first}` : `${range.first}-${range.last}`;
}

export function isInPortRange(port: number, range: PortRange): boolean {
  return range.first <= port && port <= range.last;
}

export function doPortRangesOverlap(one: PortRange, other: PortRange): boolean {
  return one.first <= other.last && other.first <= one.last;
}

/** Sorts ranges and joins those that overlap or touch, because nftables refuses overlapping intervals in one set. */
export function mergePortRanges(ranges: readonly PortRange[]): readonly PortRange[] {
  const merged: PortRange[] = [];
  for (const range of [...ranges].sort((one, other) => one.first - other.first)) {
    const previous = merged.at(-1);
    if (previous !== undefined && range.first <= previous.last + 1) {
      merged[merged.length - 1] = { first: previous.first, last: Math.max(previous.last, range.last) };
    } else {
      merged.push(range);
    }
  }
  return merged;
}
