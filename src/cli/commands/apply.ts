import type { Command } from "../command.js";
import {
  aboutHosts,
  adoptOption,
  behindOption,
  formerOption,
  hostArgument,
  hostOptions,
} from "../host/host-options.js";
import { policyArgument, policyFiles } from "../policy-argument.js";

export const command: Command = {
  name: "apply",
  summary: "Bring a policy to a host, prove it from here, and confirm it or leave the host as it was",
  description: [
    "One transaction, as in `pulumi up`: connect, stage, arm, load, prove, confirm. Whatever fails, even this machine, the host puts back by itself what it had. Where the host has just this ruleset, nothing is done.",
    "Where HOST is a profile, or `--profile` names one, it holds the policy's knock afterwards.",
    aboutHosts,
    policyFiles,
  ],
  arguments: [policyArgument, hostArgument],
  options: [
    ...hostOptions,
    formerOption,
    behindOption,
    adoptOption,
    {
      name: "undo-after",
      value: "SECONDS",
      about:
        "After how many seconds the host undoes a change that was not confirmed. Default: 60, or more where the proof takes long.",
    },
    {
      name: "prove-from",
      value: "FILE",
      about:
        "Try the gates from another machine: a connection, as `--connection` has it. For a machine whose own address is in `allowFrom`.",
    },
    {
      name: "health-command",
      value: "COMMAND",
      about:
        "Run this on the host, as root, after the proof: unless it ends well within 30 seconds, the change is undone. Others on this machine can list it while it runs.",
    },
    {
      name: "profile",
      value: "NAME",
      about: "Keep the knock as this profile once the host has confirmed it. Default: HOST, where it is one.",
    },
  ],
  examples: [
    {
      line: "knockgate apply policy.yaml root@203.0.113.7 --profile edge",
      about: "For the first time",
    },
    { line: "knockgate apply policy.yaml edge", about: "After an edit, with another knock or the same" },
  ],
  exitCodes: {
    0: "The host has the policy, confirmed.",
    1: "The policy has errors; nothing was contacted.",
  },
  run: async (call, surroundings) => (await import("../host/run-apply.js")).runApply(call, surroundings),
};
