import type { Argument, Option } from "../framework/command.js";

/** The argument of all commands that log in to a host. */
export const hostArgument: Argument = {
  name: "HOST",
  about:
    "A profile, or `[USER@]HOST[:PORT]` (an IPv6 address with a port in brackets); with --openssh also an alias of ssh_config. Leave it out with --connection. Default of USER: root; with --openssh what ssh_config says.",
  isOptional: true,
  completion: "profile",
};

/** The paragraph about hosts in the help of all these commands. */
export const aboutHosts =
  "The command reaches the host by SSH, through its gate. It tries the knock of the policy, the knock of the profile, and no knock. The host key is always verified: by the profile or `--connection`, if it pins one, else by known_hosts. Pulumi is not needed. What is done on the host is done by the same code.";

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
    name: "openssh",
    about:
      "Let this machine's ssh(1) log in, as its ssh_config says: certificates, security keys, ProxyJump (docs/ssh.md). Then only --identity names a key.",
  },
  {
    name: "ask",
    value: "SECRET",
    isRepeated: true,
    choices: ["password", "key-password", "sudo-password"],
    about:
      "Ask for this secret on the terminal, even if `--connection` has it. Without a terminal, set KNOCKGATE_PASSWORD, KNOCKGATE_KEY_PASSWORD or KNOCKGATE_SUDO_PASSWORD in the environment.",
  },
  {
    name: "connection",
    value: "FILE",
    about:
      "How to reach the host: JSON or YAML in the shape of a gate's `connection`, bastion and passwords included. Other users must not be able to read the file.",
  },
];

/** The option of commands that make a change. */
export const adoptOption: Option = {
  name: "adopt",
  about:
    "Take over a policy of this name that another owner, such as a Pulumi stack, has confirmed on the host. Without it, such a policy is not touched.",
};

/** The option of commands that may meet a host with another knock. */
export const formerOption: Option = {
  name: "former",
  value: "FILE",
  about:
    "The policy that the host may still have, for its knock. If it has another name or backend, a change removes it from the host.",
};

/** The option of commands that may meet a host whose SSH is behind another policy's gate. */
export const behindOption: Option = {
  name: "behind",
  value: "FILE",
  isRepeated: true,
  about:
    "Another policy on the host that protects SSH, for its knock. Default: the gates of the profile, if no gate of the policy protects SSH.",
};
