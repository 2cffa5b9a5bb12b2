import { type ErrorCode, KnockgateError } from "../../errors.js";
import { describeHangUp } from "../hang-up.js";
import { quoteSaid } from "../quote-said.js";
import { anotherMachine, lacksExpectedKeys, refuseForward } from "../refusals.js";
import type { ResolvedLogin } from "../resolve.js";

/** What a login expected. */
interface LoginExpectation {
  readonly login: Pick<ResolvedLogin, "password">;
  /** Where the expected host keys come from. */
  readonly keySource: string;
}

interface SshFault {
  /** What OpenSSH 8.2 to 10 print for it, in the C locale. */
  readonly says: RegExp;
  readonly code: ErrorCode;
  /** Says what happened, in place of what ssh printed. */
  readonly describe?: (said: string, keySource: string) => string;
  /** What to do. */
  readonly remedy: string;
}

/** The first one that fits counts. */
const faults: readonly SshFault[] = [
  {
    says: /Certificate invalid/i,
    code: "HOST_KEY_MISMATCH",
    remedy: "Nothing was sent. Renew the host's certificate, or give it the name by which it is dialled.",
  },
  {
    says: /REMOTE HOST IDENTIFICATION HAS CHANGED|REVOKED HOST KEY|Host key .* revoked/i,
    code: "HOST_KEY_MISMATCH",
    describe: (said, source) => `its host key ${findFingerprint(said)}is not one that ${source} expects`,
    remedy: anotherMachine,
  },
  {
    says: /no matching host key type found/i,
    code: "HOST_KEY_MISMATCH",
    describe: () => lacksExpectedKeys,
    remedy: anotherMachine,
  },
  {
    says: /No .* host key is known for|Host key verification failed/i,
    code: "HOST_KEY_UNKNOWN",
    describe: () => "ssh knows no host key or certificate authority for it, so nothing was sent",
    remedy:
      "Log in once with ssh, or add the authority's `@cert-authority` line to known_hosts, or set hostKey.",
  },
  {
    says: /user presence|Enter PIN/i,
    code: "LOGIN_REFUSED",
    describe: () =>
      "its key is on a security key that waits for a touch or a PIN, and nobody can give it here",
    remedy: "Run it at a terminal, or log in by a key or a certificate from an agent.",
  },
  {
    says: /Permission denied \(|Too many authentication failures|No more authentication methods/i,
    code: "LOGIN_REFUSED",
    remedy:
      "Check the user, and the keys, certificates and agent that ssh_config(5) names: `ssh -v` shows them.",
  },
  {
    says: /no matching (key exchange|cipher|MAC)/i,
    code: "HOST_UNFIT",
    remedy: "See KexAlgorithms, Ciphers and MACs in ssh_config(5) and sshd_config(5).",
  },
  {
    says: /Bad configuration option|bad configuration options|Bad owner or permissions|extra arguments|Unsupported option|unix_listener|too long for Unix domain socket/i,
    code: "ARGUMENTS_INVALID",
    remedy: "Nothing was sent. Mend ssh_config(5), or what names its files.",
  },
];

/** sshd, or a firewall, took the connection and ended it before the SSH identification. */
const hangUp =
  /kex_exchange_identification: (Connection closed|read: Connection reset|banner line)|ssh_exchange_identification/i;

/** Turns what ssh printed before it ended into an error. */
export function explainSsh(
  name: string,
  said: string,
  { login: { password }, keySource }: LoginExpectation,
): KnockgateError {
  const fault = faults.find(({ says }) => says.test(said));
  const quote = quoteSaid(said, password);
  if (fault !== undefined) {
    const what = fault.describe?.(said, keySource) ?? `ssh could not log in${quote}`;
    return new KnockgateError(fault.code, `${name}: ${what.replace(/\.$/, "")}. ${fault.remedy}`);
  }
  const why = hangUp.test(said) ? describeHangUp(said) : `ssh made no connection${quote}`;
  // Who proves a gate reads from the cause whether the port refused.
  return new KnockgateError("UNREACHABLE", `${name}: ${why}`, { cause: new Error(quote) });
}

/** Whether the words of a ProxyCommand may say more than ssh's own: ssh knows no address of such a connection's end. */
export function saysLittle(said: string): boolean {
  return said === "" || hangUp.test(said) || /by UNKNOWN port/i.test(said);
}

/** Whether ssh waits for somebody to touch a security key. */
export function isWaitingForTouch(said: string): boolean {
  return /user presence/i.test(said);
}

/**
 * Says why a connection could not carry another one; `undefined` when it did.
 *
 * @param log what ssh has logged about the connection that should have carried
 */
export function explainCarrier(
  name: string,
  log: string,
  address: string,
  port: number,
): KnockgateError | undefined {
  const [, why] = /open failed: (.*)/.exec(log) ?? [];
  if (why === undefined) return undefined;
  const target = `${address} port ${port}`;
  if (/administratively prohibited|unknown channel type/i.test(why)) {
    return refuseForward(name, target);
  }
  const reason = why.replace(/^connect failed: /, "").trim();
  const message = `${name}: it could not connect to ${target}: ${reason}`;
  return new KnockgateError("UNREACHABLE", message, { cause: new Error(reason) });
}

function findFingerprint(said: string): string {
  const [fingerprint] = /SHA256:[A-Za-z0-9+/]{20,}/.exec(said) ?? [];
  return fingerprint === undefined ? "" : `${fingerprint} `;
}
