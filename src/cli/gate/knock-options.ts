import type { Option } from "../framework/command.js";

/** Options of the commands that send a knock. */
export const knockOptions: readonly Option[] = [
  {
    name: "gate",
    value: "GATE",
    about: "Open this gate of the profile. Default: the gate that protects the port.",
  },
  {
    name: "step",
    short: "s",
    value: "STEP",
    isRepeated: true,
    about:
      "Send this step instead of a profile's steps: `tcp:PORT`, `udp:PORT`, `udp:PORT/PAYLOAD-BYTES` or `icmp:PAYLOAD-BYTES`. Several are sent in the order given. Other users of this machine can list a command line while it runs: a profile is safer.",
  },
  {
    name: "stack",
    about: "Read the knock from standard input, as `pulumi stack output --show-secrets --json` prints it.",
  },
  {
    name: "tries",
    value: "COUNT",
    about:
      "Send the knock up to this many times while the gate stays closed: a packet may get lost. Default: 3. With tokens, each try sends another token, and the default is 9.",
  },
  { name: "ipv4", short: "4", about: "Use only IPv4." },
  { name: "ipv6", short: "6", about: "Use only IPv6." },
  {
    name: "ping",
    about:
      "Let ping(8) send echo requests if perl can't. Other users of this machine can list the payload size, or the token, while ping runs.",
  },
  {
    name: "verbose",
    short: "v",
    about: "Say on standard error what was sent. Never shows a step's port or size, or a token.",
  },
];
