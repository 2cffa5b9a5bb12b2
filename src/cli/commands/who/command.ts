import type { Command } from "../../framework/command.js";
import { hostOptions } from "../../hosts/host-options.js";

export const command: Command = {
  name: "who",
  summary: "Say who has opened a host's gates by tokens, how often, and when last",
  description: [
    "Changes nothing. Asks the host for the counter of each user at each gate. The counters begin when the ruleset is loaded: at a boot, and when the whole table is replaced. The kernel keeps no time of an opening. The host compares its counters each time that it fills its sets of tokens, about once an hour. So the last opening is known to lie between two times.",
    "If the policy logs `opened`, the command also reads the host's log: the newest 200,000 lines of the kernel in the journal, of all boots, or else what the kernel still has of this boot. It says when each user is last there, from which address, and how far back the log was read. A gate writes at most `log.perMinute` lines in a minute, so a line may be missing. All times are in UTC.",
    "The command logs in by SSH, through the gate, with the knock or the tokens of the profile. It needs root on the host, or a sudo or doas that permits it.",
  ],
  arguments: [
    {
      name: "HOST",
      about: "A profile with gates that tokens open, or `USER@PROFILE`.",
      completion: "profile",
    },
  ],
  options: hostOptions.filter(({ name }) => name !== "connection"),
  examples: [
    { line: "knockgate who edge", about: "All users of the host" },
    { line: "knockgate who root@edge --json", about: "As another user, for a program" },
  ],
  exitCodes: { 1: "The host holds no tokens of the profile's policy." },
  run: async (invocation, context) => (await import("./run.js")).runWho(invocation, context),
};
