import { type ErrorCode, KnockgateError } from "../../errors.js";
import { describeHangUp } from "../hang-up.js";
import { quoteSaid } from "../quote-said.js";

interface SshFault {
  /** What OpenSSH 8.2 to 10 print for it, in the C locale. */
  readonly says: RegExp;
  readonly code: ErrorCode;
  /** Completes a sentence about the host. Default: what ssh printed. */
  readonly why?: string;
  /** What to do. */
  readonly remedy?: string;
}

const anotherMachine =
  "Either this is another machine, or its key was changed: find out which before you go on.";

/** The first one that fits counts. */
const reasons: readonly SshFault[] = [
  {
    says: /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for .* was revoked|REVOKED HOST KEY/i,
    code: "HOST_KEY_MISMATCH",
    why: "its host key is not one that ssh expects. Nothing was sent",
    remedy: anotherMachine,
  },
  {
    says: /Certificate invalid|certificate .*(expired|not yet valid|not a listed principal)|no matching host key type found/i,
    code: "HOST_KEY_MISMATCH",
    remedy:
      "Nothing was sent. Compare the host's certificate and keys with what known_hosts, or hostKey, says of it.",
  },
  {
    says: /No .* host key is known for|Host key verification failed/i,
    code: "HOST_KEY_UNKNOWN",
    why: "ssh knows no host key or certificate authority for it, so nothing was sent",
    remedy:
      "Log in once with ssh, or add the authority's `@cert-authority` line to known_hosts, or set hostKey.",
  },
  {
    says: /Confirm user presence|user presence|Enter PIN/i,
    code: "LOGIN_REFUSED",
    why: "the key is on a security key that waits for a touch or a PIN, and nobody can give it here",
    remedy: "Run it at a terminal, or log in by a key or a certificate from an agent.",
  },
  {
    says: /Permission denied \(|Too many authentication failures|No more authentication methods/i,
    code: "LOGIN_REFUSED",
    remedy:
      "Check the user, and the keys, certificates and agent that ssh_config(5) names: `ssh -v` shows them.",
  },
  {
    says: /administratively prohibited|unknown channel type/i,
    code: "HOST_UNFIT",
    why: "the machine before it does not permit forwarding to it",
    remedy: "See AllowTcpForwarding, PermitOpen and DisableForwarding in sshd_config(5).",
  },
  {
    says: /no matching (key exchange|cipher|MAC)/i,
    code: "HOST_UNFIT",
    remedy: "See KexAlgorithms, Ciphers and MACs in ssh_config(5) and sshd_config(5).",
  },
  {
    says: /Bad configuration option|bad configuration options|Bad owner or permissions|keyword .* extra arguments|Unsupported option|unix_listener|too long for Unix domain socket/i,
    code: "ARGUMENTS_INVALID",
    why: "ssh does not accept its configuration. Nothing was sent",
  },
];

/** sshd, or a firewall, took the connection and ended it before the SSH identification. */
const hangUp =
  /kex_exchange_identification: (Connection closed|read: Connection reset|banner line)|ssh_exchange_identification/i;

/**
 * Turns what ssh printed before it ended into an error.
 *
 * @param password is cut out of what is quoted
 */
export function explainSsh(name: string, stderr: string, password: string | undefined): KnockgateError {
  const known = findFault(name, stderr, password);
  if (known !== undefined) return known;
  const why = hangUp.test(stderr)
    ? describeHangUp(stderr)
    : `ssh made no connection${quoteSaid(stderr, password)}`;
  return new KnockgateError("UNREACHABLE", `${name}: ${why}`);
}

/** Finds a fault that another try would meet again. */
export function findFault(
  name: string,
  stderr: string,
  password: string | undefined,
): KnockgateError | undefined {
  const reason = reasons.find(({ says }) => says.test(stderr));
  if (reason === undefined) return undefined;
  const { code, why = "ssh could not log in", remedy } = reason;
  const said = `${why}${quoteSaid(stderr, password)}`;
  const sentences = [/[.!?]$/.test(said) ? said : `${said}.`, remedy ?? ""].join(" ").trimEnd();
  return new KnockgateError(code, `${name}: ${sentences}`);
}
