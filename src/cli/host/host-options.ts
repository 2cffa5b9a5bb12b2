import type { Argument, Option } from "../command.js";

/** The argument of all commands that log in to a host. */
export const hostArgument: Argument = {
  name: "HOST",
  about:
    "A profile, or `[USER@]HOST[:PORT]` (an IPv6 address with a port in brackets); left out with --connection. Default of USER: root.",
  isOptional: true,
  completion: "profile",
};

/** The paragraph about hosts in the help of all these commands. */
export const aboutHosts =
  "The host is reached by SSH, through its gate: with the knock of the policy, of the profile, and without one. Its key is always verified, as pinned by the profile or `--connection`, else by known_hosts. No Pulumi is needed; what is done there is done by the same code.";

/** Their options for the login. */
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

/** The option of commands that make a change. */
export const adoptOption: Option = {
  name: "adopt",
  about:
    "Take over a policy of this name that another owner, such as a Pulumi stack, has confirmed on the host. Without it such a policy is left alone.",
};

/** The option of commands that may meet a host with another knock. */
export const formerOption: Option = {
  name: "former",
  value: "FILE",
  about:
    "The policy that the host may still have, for its knock. One of another name or backend goes when a change takes its place.",
};

/** The option of commands that may meet a host whose SSH is behind another policy's gate. */
export const behindOption: Option = {
  name: "behind",
  value: "FILE",
  isRepeated: true,
  about:
    "Another policy on the host that SSH is behind, for its knock. Default: what the profile knows, where no gate of the policy protects SSH.",
};
