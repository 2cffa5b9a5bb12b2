import { policyArgument, policyFiles } from "../../files/policy-argument.js";
import type { Command } from "../../framework/command.js";
import {
  aboutHosts,
  adoptOption,
  behindOption,
  formerOption,
  hostArgument,
  hostOptions,
} from "../../hosts/host-options.js";

export const command: Command = {
  name: "apply",
  summary: "Bring a policy to a host, prove it from here, and confirm it or leave the host as it was",
  description: [
    "One transaction, as in `pulumi up`: connect, stage, arm, load, prove, confirm. If anything fails, even this machine, the host puts back by itself what it had. If the host already has exactly this ruleset, nothing is done.",
    "If HOST is a profile, or `--profile` names one, that profile holds the policy's knock afterwards.",
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
        "Seconds after which the host undoes a change that was not confirmed. Default: 60, or more if the proof takes long.",
    },
    {
      name: "prove-from",
      value: "FILE",
      about:
        "Try the gates from another machine. The file has the form of a `--connection` file. Use it if the address of this machine is in `allowFrom`.",
    },
    {
      name: "health-command",
      value: "COMMAND",
      about:
        "Run this command on the host, as root, after the proof. If it does not end with exit code 0 within 30 seconds, the change is undone. Other users of this machine can list it while it runs.",
    },
    {
      name: "profile",
      value: "NAME",
      about:
        "Save the knock as this profile after the host has confirmed it. Default: HOST, if it is a profile.",
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
    0: "The host has confirmed the policy.",
    1: "The policy has errors. Nothing was contacted.",
  },
  run: async (invocation, context) => (await import("./run.js")).runApply(invocation, context),
};
