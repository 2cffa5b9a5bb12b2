import type { Command } from "../../framework/command.js";
import { knockOptions } from "../../gate/knock-options.js";

export const command: Command = {
  name: "knock",
  summary: "Send a host's knock, wait for its gate and say how long that took",
  description: [
    "The knock comes from a profile, from a stack's outputs on standard input (`--stack`), or from `--step`. After the last step, the command tries the port behind the gate. If the port takes or refuses the connection, the gate is open. If the port is silent, the gate is closed, and the knock is sent again. A gate that protects no TCP port can't be checked.",
    "If a token opens the gate, each try sends another token: first that of the current time, then later ones, in case this machine's clock is behind or the host has lost its tokens. If an earlier one was not taken, the command says why that may be. No two processes send the same token: the folder `used-slots` beside the profiles has the times whose tokens were sent, also those of the shells' programs. A gate with `singleConnection` is not asked, because that would use up its opening.",
    "On Linux, perl tries the SSH port by a handshake that it breaks off before the server hears of it. This matters because OpenSSH 9.8 and newer hold a connection without a login against you (PerSourcePenalties), and you log in next. Elsewhere, and with `--banner`, the command makes a real connection and waits for the server's banner.",
    "A host's addresses are tried one after the other, in the order of RFC 8305: IPv4 and IPv6 in turn, beginning with the resolver's first choice. Each address gets its own knock and its own wait, because a door opens for one source address. The first address whose port takes a connection is used. If the port refuses it, nothing listens there, and the next address is tried.",
    "TCP steps, UDP steps and tokens over UDP need no privilege. perl sends echo requests over a ping socket, if the kernel allows it (`net.ipv4.ping_group_range`), or over a raw socket. If neither is possible, `--ping` lets ping(8) send them.",
    "If the host is behind a bastion, the knock is sent from the bastion, by ssh(1) and bash. bash tries the port there as well.",
  ],
  arguments: [
    {
      name: "HOST",
      about: "A profile, or the host of a profile. With `--step`, any host.",
      completion: "profile",
    },
  ],
  options: [
    {
      name: "port",
      short: "p",
      value: "PORT",
      about: "Try this TCP port. Default: the SSH port, or the gate's first port.",
    },
    {
      name: "banner",
      about:
        "Also wait for the SSH server's banner, and say if the server takes the connection and hangs up. This is a connection without a login, which OpenSSH 9.8 and newer may hold against you for a while (PerSourcePenalties).",
    },
    ...knockOptions,
  ],
  examples: [
    { line: "knockgate knock edge && ssh ops@203.0.113.7", about: "By a profile" },
    { line: "knockgate knock edge --gate admin -v", about: "Another gate of the same host, step by step" },
    {
      line: "pulumi stack output --show-secrets --json | knockgate knock edge --stack",
      about: "Without a profile",
    },
    { line: "knockgate knock 203.0.113.7 -s tcp:7411 -s udp:8522 -s icmp:77", about: "By hand" },
  ],
  exitCodes: {
    0: "The gate is open, or the knock was sent and the gate can't be checked.",
    1: "The gate stayed closed.",
  },
  run: async (invocation, context) => (await import("./run.js")).runKnock(invocation, context),
};
