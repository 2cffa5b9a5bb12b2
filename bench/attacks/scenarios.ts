import type { ForgedPackets } from "../../lab/forged-packets";
import { type AttackedGate, clientOf } from "./gates";

/** The quantities of the figure. */
export const quantities = {
  opened: "knocks that opened at the first try",
  byAttack: "openings by the attack",
  rate: "packets of the attack",
} as const;
/** The scenario without an attack. */
export const quiet = "no attack";

/** What goes on while the client knocks. */
export interface Attack {
  readonly name: string;
  /** Whether the machine can send it to all gates at the same time. */
  readonly isForAllAtOnce: boolean;
  /** The packets for a gate. Undefined if the attack says nothing of such a gate. */
  describe(gate: AttackedGate): Pick<ForgedPackets, "kind" | "ports" | "sources" | "perSecond"> | undefined;
}

const floodPerSecond = 100_000;
const sweepPerSecond = 20_000;

export const attacks: readonly Attack[] = [
  sweep("TCP", "syn"),
  sweep("UDP", { payloadBytes: 0 }),
  flood("from 100,000 forged sources", () => "random"),
  flood("from 100,000 forged sources, of another size", () => "random", 24),
  flood("in the client's name", ({ host }) => clientOf(host)),
  flood("in the client's name, of another size", ({ host }) => clientOf(host), 24),
];

/** Goes through all ports in order again and again, from one address. */
function sweep(protocol: string, kind: ForgedPackets["kind"]): Attack {
  return {
    name: `sweeps of all ${protocol} ports`,
    isForAllAtOnce: true,
    describe: ({ host }) => ({
      kind,
      ports: "1-65535",
      sources: host.takeSource(),
      perSecond: sweepPerSecond,
    }),
  };
}

/** Packets that look like the first one of a knock, or have more bytes than it. */
function flood(name: string, chooseSources: (gate: AttackedGate) => string, moreBytes = 0): Attack {
  return {
    name: `flood ${name}`,
    isForAllAtOnce: false,
    describe: (gate) => {
      const { kind, ports } = gate.begin;
      const of = { ports, sources: chooseSources(gate), perSecond: floodPerSecond };
      if (kind !== "syn") return { ...of, kind: { payloadBytes: kind.payloadBytes + moreBytes } };
      return moreBytes === 0 ? { ...of, kind } : undefined;
    },
  };
}
