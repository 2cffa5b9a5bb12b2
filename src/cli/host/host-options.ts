import type { Argument, Option } from "../command.js";

/** The argument of the commands that log in to a host. */
export const hostArgument: Argument = {
  name: "HOST",
  about:
    "A profile, or `[USER@]HOST[:PORT]` (an IPv6 address with a port in brackets); left out with --connection. Default of USER: root.",
  isOptional: true,
  completion: "profile",
};

/** What all of them say of it. */
export const aboutHosts =
  "The host is reached by SSH, through its gate: with the knock of the policy, of the profile, and without one. Its key is always verified, as pinned by the profile or `--connection`, else by known_hosts. No Pulumi is needed; what is done there is done by the same code.";

/** How they log in. */
export const hostOptions: readonly Option[] = [
  {
    name: "identity",
    short: "i",
    value: "FILE",
    about:
      "Log in by this private key. Default: the agent of SSH_AUTH_SOCK, else id_ed25519, id_ecdsa or id_rsa in ~/.ssh.",
  },
  {
    name: "ask",
    value: "SECRET",
    isRepeated: true,
    choices: ["password", "key-password", "sudo-password"],
    about:
      "Ask for it on the terminal, whatever `--connection` says. Elsewhere KNOCKGATE_PASSWORD, KNOCKGATE_KEY_PASSWORD and KNOCKGATE_SUDO_PASSWORD in the environment say it.",
  },
  {
    name: "connection",
    value: "FILE",
    about:
      "How to reach the host, as JSON or YAML in the shape of a gate's `connection`, bastion and passwords included. Nobody else may read the file.",
  },
];

/** Of those that make a change. */
export const adoptOption: Option = {
  name: "adopt",
  about:
    "Take over a policy of this name that another owner, such as a Pulumi stack, has confirmed on the host. Without it such a policy is left alone.",
};

/** Of those that may meet a host with another knock, or with another policy's gate before SSH. */
export const formerOption: Option = {
  name: "former",
  value: "FILE",
  about:
    "The policy that the host may still have, for its knock. One of another name or backend goes when a change takes its place.",
};

/** Of the same. */
export const behindOption: Option = {
  name: "behind",
  value: "FILE",
  isRepeated: true,
  about:
    "Another policy on the host that SSH is behind, for its knock. Default: what the profile knows, where no gate of the policy protects SSH.",
};
