import type { Command } from "../command.js";
import { knockOptions } from "../knock-options.js";

export const command: Command = {
  name: "knock",
  summary: "Send a host's knock, wait for its gate and say how long that took",
  description: [
    "The knock comes from a profile, from a stack's outputs on standard input (`--stack`), or from `--step`. After the last step the port behind the gate is asked: a connection or a refusal says that the gate is open, silence that it is not, and then the knock is sent again. A gate that protects no TCP port can't be asked.",
    "On Linux the SSH port is asked by perl, by a handshake that is broken off before the server hears of it: a connection without a login counts against you at OpenSSH 9.8 and newer (PerSourcePenalties), and you log in next. Elsewhere, and with `--banner`, it is a real connection that waits for the server's banner.",
    "A host's addresses are tried one after the other, the families in turns and beginning with the resolver's first choice, as RFC 8305 orders them; each gets its knock and its wait, because a door opens for one source address. The first whose port takes a connection is the one; where it is refused, nothing listens, and the next one is tried.",
    "TCP and UDP steps need no privilege. ICMP steps are sent by perl over a ping socket, where the kernel allows it (`net.ipv4.ping_group_range`), or a raw one; where neither can be had, `--ping` lets ping(8) do it.",
    "A host behind a bastion is knocked at from there, by ssh(1) and bash, which asks the port there as well.",
  ],
  arguments: [
    {
      name: "HOST",
      about: "A profile, or the host of one; with `--step` any host.",
      completion: "profile",
    },
  ],
  options: [
    {
      name: "port",
      short: "p",
      value: "PORT",
      about: "Ask this TCP port. Default: that of SSH, or the gate's first.",
    },
    {
      name: "banner",
      about:
        "Wait for the SSH server's banner as well, and say when it takes connections and hangs up. That is a connection without a login, which OpenSSH 9.8 and newer may hold against you for a while (PerSourcePenalties).",
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
  exitCodes: { 0: "The gate is open, or was knocked at and can't be asked.", 1: "The gate stayed closed." },
  run: async (call, surroundings) => (await import("../run-knock.js")).runKnock(call, surroundings),
};
