import fc from "fast-check";
import { isOpen, receivePacket } from "../../../src/model/machine";
import type { PacketKind } from "../../../src/model/packet";
import { initialState } from "../../../src/model/state";
import type { Policy } from "../../../src/policy/policy";
import { isAccepted, knockPolicy, type Sweep, sweep } from "../model/sweeps";

/**
 * Sweeps, in the model, gates of policies in which the linter finds nothing. Returns the sweeps that opened one, in
 * words.
 */
export function sweepAccepted(policyCount: number, sweepsEach: number, seed: number): readonly string[] {
  const trials = knockPolicy("nftables")
    .filter(isAccepted)
    .chain((policy) =>
      fc
        .array(sweep(policy), { minLength: sweepsEach, maxLength: sweepsEach })
        .map((list) => ({ policy, list })),
    );
  return fc
    .sample(trials, { numRuns: policyCount, seed })
    .flatMap(({ policy, list }) => list.filter((one) => opens(policy, one)).map((one) => tell(policy, one)));
}

/** Sweeps one gate until it opens, and tells whether it did. */
export function sweepUntilOpen(policy: Policy, sweepCount: number, seed: number): boolean {
  const property = fc.property(sweep(policy), (one) => !opens(policy, one));
  return fc.check(property, { numRuns: sweepCount, seed, endOnFailure: true }).failed;
}

function opens(policy: Policy, { shapes, isSameFlow }: Sweep): boolean {
  const ports = new Map<unknown, number>();
  let state = initialState;
  for (const [index, shape] of shapes.entries()) {
    const sourcePort = (isSameFlow ? ports.get(shape) : undefined) ?? index;
    ports.set(shape, sourcePort);
    const kind: PacketKind = shape.kind === "echo" ? shape : { ...shape, sourcePort };
    state = receivePacket(policy, state, { atMs: index, source: "192.0.2.7", kind }).state;
    if (isOpen(state, "192.0.2.7", "ssh", index)) return true;
  }
  return false;
}

function tell({ gates }: Policy, { shapes }: Sweep): string {
  return JSON.stringify({ protect: gates[0]?.protect, knock: gates[0]?.knock, shapes });
}
