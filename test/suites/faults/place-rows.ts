import { cut, inTurn, kill, loseStep } from "./acts";
import { endSessions, reboot } from "./host-acts";
import type { Place } from "./policies";
import type { Row } from "./row";

const from = "update";
const openForAMoment =
  "the former gate was taken away before the new one stood: the port was open to everybody for a moment";

interface Move {
  readonly id: string;
  readonly words: string;
  readonly backend?: "iptables";
  readonly becomes: Place;
}

const moves: readonly Move[] = [
  { id: "new-name", words: "the policy gets another name", becomes: { name: "rim" } },
  {
    id: "to-iptables",
    words: "the policy goes from nftables to iptables",
    becomes: { backend: "iptables" },
  },
  {
    id: "to-nftables",
    words: "the policy goes from iptables to nftables",
    backend: "iptables",
    becomes: { backend: "nftables" },
  },
];

/** Faults of a change that moves a policy from one table or chain to another: the former gate comes back. */
export const placeFaults: readonly Row[] = moves.flatMap(({ words, id, ...move }): readonly Row[] => [
  {
    ...move,
    id: `${id}-does-not-open`,
    done: `${words}, and a step of the new knock gets lost on its way`,
    on: "namespace",
    from,
    before: loseStep,
    ends: "old",
    up: { at: "prove", code: "NOT_CONFIRMED", state: ["undone", "undoneByItself"] },
    isDeep: id !== "new-name",
    mended: [openForAMoment],
  },
  {
    ...move,
    id: `${id}-killed`,
    done: `${words}; after load the deployer and all processes of its SSH sessions are killed`,
    on: "namespace",
    from,
    within: { after: "load", act: inTurn(endSessions, kill) },
    ends: "old",
    up: "killed",
    isDeep: id !== "to-iptables",
    mended: [openForAMoment],
  },
  {
    ...move,
    id: `${id}-cut`,
    done: `${words}; the network is cut after prove, and stays so`,
    on: "namespace",
    from,
    within: { after: "prove", act: cut },
    ends: "old",
    up: { at: "confirm", code: "NOT_CONFIRMED", state: "timer" },
    isDeep: true,
  },
  {
    ...move,
    id: `${id}-reboot`,
    done: `${words}; the host's power is cut, and it boots, after load`,
    on: "booted",
    from,
    within: { after: "load", act: reboot("power") },
    ends: "old",
    up: { at: "prove", code: "NOT_CONFIRMED", state: ["timer", "undone", "undoneByItself"] },
    isDeep: true,
  },
]);
