import { lax, mixed, opens, sixteen, sixteenMoves, staysClosed, tcp, testAttempts, three } from "./attempt";
import { doorPort, gateBefore } from "./gated-lab";
import { datagram, type Move, pause, ping, syn } from "./moves";

const twice = gateBefore(tcp(7_000, 7_000, 8_000));
const pair = gateBefore(tcp(7_000, 7_000));
const thrice = gateBefore(tcp(7_000, 7_000, 7_000));
const datagrams = gateBefore([{ udp: 7_000 }, { udp: 7_000 }, { udp: 8_000 }]);
const apart = gateBefore(tcp(7_000, 8_000, 7_000));
const four = gateBefore(tcp(7_000, 8_000, 8_500, 9_000));
const returning = gateBefore(tcp(7_000, 8_000, 7_000, 9_000));

testAttempts([
  // Ports that repeat
  opens("opens after a port that comes twice, by two packets", twice, syn(7_000), syn(7_000), syn(8_000)),
  staysClosed("stays closed when a port that comes twice came once", twice, syn(7_000), syn(8_000)),
  opens("opens after a port that comes again later", apart, syn(7_000), syn(8_000), syn(7_000)),
  staysClosed("stays closed when a port that comes again later did not", apart, syn(7_000), syn(8_000)),
  staysClosed(
    "stays closed when both come before the step between them",
    apart,
    syn(7_000),
    syn(7_000),
    syn(8_000),
  ),
  staysClosed("lets one packet take one step, of two alike", pair, syn(7_000)),
  opens("lets two packets take two steps, of two alike", pair, syn(7_000), syn(7_000)),
  staysClosed("lets two packets take two steps, of three alike", thrice, syn(7_000), syn(7_000)),
  opens("lets three packets take three steps, of three alike", thrice, syn(7_000), syn(7_000), syn(7_000)),
  // Packets that come twice
  opens("is not disturbed by a doubled SYN of each step", three, ...doubled(syn, 7_000, 8_000, 9_000)),
  opens(
    "is not disturbed by a doubled SYN of each step, not strict",
    lax,
    ...doubled(syn, 7_000, 8_000, 9_000),
  ),
  opens(
    "is not disturbed by doubled datagrams",
    mixed,
    ...doubled(syn, 7_000),
    ...doubled(datagram, 8_000),
    ...doubled(syn, 9_000),
  ),
  staysClosed(
    "takes a doubled SYN for one, where the next step is alike",
    twice,
    ...doubled(syn, 7_000),
    syn(8_000),
  ),
  staysClosed("takes a doubled SYN for one, of two steps alike", pair, ...doubled(syn, 7_000)),
  staysClosed(
    "takes a doubled datagram for one, where the next step is alike",
    datagrams,
    ...doubled(datagram, 7_000),
    datagram(8_000),
  ),
  opens(
    "takes two doubled SYNs from two source ports for two",
    twice,
    ...doubled(syn, 7_000, 7_000),
    ...doubled(syn, 8_000),
  ),
  opens(
    "takes two doubled datagrams from two source ports for two",
    datagrams,
    ...doubled(datagram, 7_000, 7_000),
    ...doubled(datagram, 8_000),
  ),
  opens("takes three doubled SYNs for three steps alike", thrice, ...doubled(syn, 7_000, 7_000, 7_000)),
  staysClosed(
    "takes the SYN of a first step, sent again behind the second, for no third alike",
    thrice,
    syn(7_000, "p"),
    syn(7_000, "q"),
    syn(7_000, "p"),
  ),
  staysClosed(
    "takes a first SYN sent again after its own time for no third alike",
    gateBefore(tcp(7_000, 7_000, 7_000), { stepTimeoutSeconds: 2 }),
    syn(7_000, "p"),
    pause(1_200),
    syn(7_000, "q"),
    pause(1_200),
    syn(7_000, "p"),
  ),
  staysClosed("takes two doubled SYNs for two, of three steps alike", thrice, ...doubled(syn, 7_000, 7_000)),
  staysClosed(
    "takes a first step's packet that comes again behind a reset for no second alike",
    pair,
    syn(7_000, "p"),
    syn(1_234),
    syn(7_000, "q"),
    syn(7_000, "p"),
  ),
  // A stray packet in the middle
  staysClosed(
    "goes back to the start after a stray SYN",
    three,
    syn(7_000),
    syn(8_000),
    syn(1_234),
    syn(9_000),
  ),
  staysClosed(
    "goes back to the start after a stray SYN behind the first step",
    three,
    syn(7_000),
    syn(1_234),
    syn(8_000),
    syn(9_000),
  ),
  staysClosed(
    "goes back to the start after a stray datagram",
    three,
    syn(7_000),
    syn(8_000),
    datagram(1_234),
    syn(9_000),
  ),
  staysClosed("goes back to the start after a ping", three, syn(7_000), syn(8_000), ping(), syn(9_000)),
  staysClosed(
    "goes back to the start after an earlier step but the last",
    three,
    syn(7_000),
    syn(8_000),
    syn(7_000),
    syn(9_000),
  ),
  // The source has left the stage of that step, so its packet is as stray as any other.
  staysClosed(
    "goes back to the start after the step before the last one taken",
    four,
    syn(7_000),
    syn(8_000),
    syn(8_500),
    syn(8_000),
    syn(9_000),
  ),
  staysClosed(
    "goes back to the start after the step before, where its neighbours are alike",
    returning,
    syn(7_000),
    syn(8_000),
    syn(7_000),
    syn(8_000),
    syn(9_000),
  ),
  staysClosed(
    "goes back to the start in the midst of sixteen steps",
    sixteen,
    ...sixteenMoves.slice(0, 9),
    syn(1_234),
    ...sixteenMoves.slice(9),
  ),
  staysClosed(
    "goes back to the start with two of three alike",
    thrice,
    syn(7_000),
    syn(7_000),
    syn(1_234),
    syn(7_000),
  ),
  opens(
    "opens after a stray packet when all steps follow",
    three,
    syn(7_000),
    syn(8_000),
    syn(1_234),
    syn(7_000),
    syn(8_000),
    syn(9_000),
  ),
  opens("ignores a stray SYN, not strict", lax, syn(7_000), syn(1_234), syn(8_000), syn(1_234), syn(9_000)),
  opens(
    "ignores a stray datagram, not strict",
    lax,
    syn(7_000),
    datagram(1_234),
    syn(8_000),
    datagram(9_000),
    syn(9_000),
  ),
  opens("ignores a ping, not strict", lax, syn(7_000), ping(), syn(8_000), ping(), syn(9_000)),
  opens(
    "takes an attempt at the protected port for no stray packet",
    three,
    syn(7_000),
    syn(doorPort),
    syn(8_000),
    syn(doorPort),
    syn(9_000),
  ),
]);

/** Each packet twice, as when a network doubles packets. */
function doubled(
  packet: (port: number, sourcePort: string) => Move,
  ...ports: readonly number[]
): readonly Move[] {
  return ports.flatMap((port, index) => {
    const move = packet(port, `${packet.name}${port}/${index}`);
    return [move, move];
  });
}
