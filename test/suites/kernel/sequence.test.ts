import { lax, mixed, opens, sixteen, sixteenMoves, staysClosed, tcp, testAttempts, three } from "./attempt";
import { gateBefore } from "./gated-lab";
import { datagram, fromOther, type Move, pause, syn } from "./moves";

const hasty = gateBefore(tcp(7_000, 8_000, 9_000), { stepTimeoutSeconds: 1 });
const patient = gateBefore(tcp(7_000, 8_000, 9_000), { stepTimeoutSeconds: 3 });

testAttempts([
  // Order
  opens("opens after the steps in their order", three, syn(7_000), syn(8_000), syn(9_000)),
  opens("opens after TCP and UDP steps in their order", mixed, syn(7_000), datagram(8_000), syn(9_000)),
  opens("opens after a single step", gateBefore(tcp(7_000)), syn(7_000)),
  opens("opens after a single UDP step", gateBefore([{ udp: 7_000 }]), datagram(7_000)),
  opens("opens after sixteen steps", sixteen, ...sixteenMoves),
  opens(
    "opens when the sequence begins anew after a false start",
    three,
    syn(8_000),
    syn(7_000),
    syn(8_000),
    syn(9_000),
  ),
  opens(
    "opens when the whole sequence comes after half of it",
    three,
    syn(7_000),
    syn(8_000),
    syn(7_000),
    syn(8_000),
    syn(9_000),
  ),
  staysClosed("stays closed without a knock", three),
  staysClosed("stays closed after the steps in another order", three, syn(8_000), syn(7_000), syn(9_000)),
  staysClosed("stays closed after the steps backwards", three, syn(9_000), syn(8_000), syn(7_000)),
  staysClosed("stays closed without the first step", three, syn(8_000), syn(9_000)),
  staysClosed("stays closed without a step between", three, syn(7_000), syn(9_000)),
  staysClosed("stays closed without the last step", three, syn(7_000), syn(8_000)),
  staysClosed("stays closed after fifteen of sixteen steps", sixteen, ...sixteenMoves.slice(0, -1)),
  staysClosed("stays closed when two of sixteen steps are swapped", sixteen, ...swapped(sixteenMoves, 7)),
  staysClosed(
    "stays closed after the steps in another order, not strict",
    lax,
    syn(8_000),
    syn(7_000),
    syn(9_000),
  ),
  staysClosed("stays closed without a step between, not strict", lax, syn(7_000), syn(9_000)),
  opens(
    "opens when steps are taken again and again, not strict",
    lax,
    syn(7_000),
    syn(9_000),
    syn(8_000),
    syn(8_000),
    syn(9_000),
  ),
  opens(
    "opens when the sequence begins anew, not strict",
    lax,
    syn(7_000),
    syn(8_000),
    syn(7_000),
    syn(8_000),
    syn(9_000),
  ),
  staysClosed(
    "goes back to the first step when that comes again, not strict",
    lax,
    syn(7_000),
    syn(8_000),
    syn(7_000),
    syn(9_000),
  ),
  // Protocol
  staysClosed("stays closed after UDP to a TCP step's port", three, syn(7_000), datagram(8_000), syn(9_000)),
  staysClosed("stays closed after TCP to a UDP step's port", mixed, syn(7_000), syn(8_000), syn(9_000)),
  staysClosed("takes UDP for no first step of TCP, not strict", lax, datagram(7_000), syn(8_000), syn(9_000)),
  // Time: half a second and more lies between each packet and the moment at which its meaning changes
  staysClosed(
    "stays closed when a step comes too late",
    hasty,
    syn(7_000),
    syn(8_000),
    pause(1_500),
    syn(9_000),
  ),
  staysClosed(
    "stays closed when the second step comes too late",
    hasty,
    syn(7_000),
    pause(1_500),
    syn(8_000),
    syn(9_000),
  ),
  opens(
    "opens when each step is in time, however long the knock as a whole",
    patient,
    syn(7_000),
    pause(1_700),
    syn(8_000),
    pause(1_700),
    syn(9_000),
  ),
  opens(
    "opens when the first step is taken again before its time is over",
    hasty,
    syn(7_000),
    pause(600),
    syn(7_000),
    pause(600),
    syn(8_000),
    syn(9_000),
  ),
  staysClosed(
    "gives a step's repetition no more time",
    hasty,
    syn(7_000),
    syn(8_000, "p"),
    pause(700),
    syn(8_000, "p"),
    pause(700),
    syn(9_000),
  ),
  // Source
  staysClosed(
    "stays closed for the one who began what another finishes",
    three,
    syn(7_000),
    fromOther(syn(8_000)),
    fromOther(syn(9_000)),
  ),
  staysClosed(
    "stays closed when another takes a step between",
    three,
    syn(7_000),
    fromOther(syn(8_000)),
    syn(9_000),
  ),
  opens(
    "opens although another knocks wrongly meanwhile",
    three,
    syn(7_000),
    fromOther(syn(9_000)),
    syn(8_000),
    fromOther(syn(1_234)),
    syn(9_000),
  ),
]);

function swapped(moves: readonly Move[], index: number): readonly Move[] {
  return [...moves.slice(0, index), ...moves.slice(index, index + 2).reverse(), ...moves.slice(index + 2)];
}
