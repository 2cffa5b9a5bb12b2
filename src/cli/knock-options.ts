import type { Option } from "./command.js";

/** Options of the commands that send a knock. */
export const knockOptions: readonly Option[] = [
  {
    name: "gate",
    value: "GATE",
    about: "Open this gate of the profile. Default: the one that the port is behind.",
  },
  {
    name: "step",
    short: "s",
    value: "STEP",
    isRepeated: true,
    about:
      "Send this step, in the order given, in place of a profile's: `tcp:PORT`, `udp:PORT`, `udp:PORT/PAYLOAD-BYTES` or `icmp:PAYLOAD-BYTES`. Others on this machine can list a command line while it runs: a profile is safer.",
  },
  {
    name: "stack",
    about: "Read the knock from standard input, as `pulumi stack output --show-secrets --json` prints it.",
  },
  {
    name: "tries",
    value: "COUNT",
    about:
      "Send the knock up to so many times while the gate stays closed: a packet may get lost. Default: 3.",
  },
  { name: "ipv4", short: "4", about: "Keep to IPv4." },
  { name: "ipv6", short: "6", about: "Keep to IPv6." },
  {
    name: "ping",
    about:
      "Send ICMP steps by ping(8) where perl can't: others on this machine can list its payload size while it runs.",
  },
  {
    name: "verbose",
    short: "v",
    about: "Say which step was sent, on standard error; never its port or size.",
  },
];
