import { policyArgument, policyFiles, showSecrets } from "../../files/policy-argument.js";
import type { Command } from "../../framework/command.js";
import { behindOption, hostOptions } from "../../hosts/host-options.js";

export const command: Command = {
  name: "simulate",
  summary: "Say why packets opened a gate, or why not",
  description: [
    "Plays packets on a model of the policy, says what happened to each, and gives a verdict for each source and gate, like `step 2 came 6.1 s after step 1; stepTimeout is 5 s`. Nothing is sent, and no host is contacted. docs/simulate.md has the form of the text and all verdicts.",
    "With `--from-host`, nothing is played. Instead, the host says which real packets it counted and, if the policy has `log`, logged, before and after somebody knocks. This shows why somebody can't get in.",
    policyFiles,
  ],
  arguments: [
    policyArgument,
    {
      name: "PACKETS",
      about: "A capture (pcap or pcapng), or packets as text, one per line.",
      isOptional: true,
      completion: "file",
    },
  ],
  options: [
    {
      name: "host",
      value: "ADDRESS",
      isRepeated: true,
      about:
        "An address of the host, in a capture. Default: the addresses that steps and connections went to.",
    },
    {
      name: "token-host",
      value: "NAME",
      about:
        "The host's name for tokens, as the program has it in connection.host. With it, tokens in a capture are read. Default: a packet of a token's size is only named.",
    },
    {
      name: "from-host",
      value: "HOST",
      about:
        "Read the counters and log lines of this host: a profile, or `[USER@]HOST[:PORT]`. Leave out PACKETS then.",
    },
    {
      name: "for",
      value: "SECONDS",
      about:
        "Seconds between two readings of the host. 0: read it once, and all that it has counted and logged. Default: 30. On a terminal, Enter ends the wait.",
    },
    ...hostOptions,
    behindOption,
    showSecrets,
  ],
  examples: [
    {
      line: "tcpdump -i any -w knock.pcap host 203.0.113.7; knockgate simulate policy.yaml knock.pcap",
      about: "To capture a knock, and learn why it did not open",
    },
    {
      line: "echo '0 198.51.100.7 tcp 7411' >packets.txt; knockgate simulate policy.yaml packets.txt",
      about: "To try what a packet would do",
    },
    {
      line: "knockgate simulate policy.yaml --from-host edge",
      about: "To learn why somebody can't get in",
    },
  ],
  exitCodes: { 0: "A source opened a gate.", 1: "No source did, or the policy or the packets have errors." },
  run: async (invocation, context) =>
    invocation.has("from-host") || invocation.has("connection")
      ? (await import("./run-from-host.js")).runFromHost(invocation, context)
      : (await import("./run.js")).runSimulate(invocation, context),
};
