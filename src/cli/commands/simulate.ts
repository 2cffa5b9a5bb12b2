import type { Command } from "../command.js";
import { policyArgument, policyFiles, showSecrets } from "../policy-argument.js";

export const command: Command = {
  name: "simulate",
  summary: "Say why packets opened a gate, or why not",
  description: [
    "Plays packets on a model of the policy, says what became of each, and gives a verdict for each source and gate, like `step 2 came 6.1 s after step 1; stepTimeout is 5 s`. Nothing is sent and no host is asked. docs/simulate.md has the form of the text and all verdicts.",
    policyFiles,
  ],
  arguments: [
    policyArgument,
    {
      name: "PACKETS",
      about: "A capture (pcap or pcapng), or packets in text, one in each line.",
      completion: "file",
    },
  ],
  options: [
    {
      name: "host",
      value: "ADDRESS",
      isRepeated: true,
      about: "An address of the host, in a capture. Default: where steps and connections went.",
    },
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
  ],
  exitCodes: { 0: "A gate is opened by a source.", 1: "None is, or the policy or the packets have errors." },
  run: async (call, surroundings) => (await import("../run-simulate.js")).runSimulate(call, surroundings),
};
