import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  Client,
  type ClientErrorExtensions,
  type KexAlgorithm,
  type ParsedKey,
  type ServerHostKeyAlgorithm,
} from "ssh2";
import { KnockgateError } from "../../errors.js";
import type { SshClient } from "../client.js";
import { type Beginning, describeHangUp, listenForBanner } from "../hang-up.js";
import { type ExpectedKeys, findExpectedKeys, fingerprintKey, listKeyAlgorithms } from "../keys/host-key.js";
import { readPrivateKey } from "../keys/private-key.js";
import type { SshLink } from "../link.js";
import { quoteSaid } from "../quote-said.js";
import { lacksExpectedKeys, refuseHostKey } from "../refusals.js";
import type { ResolvedLogin } from "../resolve.js";
import { openShellSession } from "../shell-session.js";
import { openForward } from "./forward.js";
import { hurryServer } from "./hurry.js";
import { planLogin } from "./login.js";
import { startCommand } from "./start-command.js";

/** A login, with its keys read and checked. */
export interface Credentials {
  readonly login: ResolvedLogin;
  /** The login's name in the arguments, for messages. */
  readonly field: string;
  readonly key: ParsedKey | undefined;
  readonly expected: ExpectedKeys | undefined;
}

/** An SSH connection made by ssh2. */
export interface Ssh2Client extends SshClient {
  /** Opens a TCP connection from there. */
  forward(address: string, port: number, timeoutMs: number): Promise<Duplex>;
}

/**
 * ssh2's defaults in their order, without group exchange (RFC 4419): Node would check whether the server's prime is
 * one. That takes seconds for 4,096 bits and blocks the whole process.
 */
const kex: KexAlgorithm[] = [
  "curve25519-sha256",
  "curve25519-sha256@libssh.org",
  "ecdh-sha2-nistp256",
  "ecdh-sha2-nistp384",
  "ecdh-sha2-nistp521",
  "diffie-hellman-group14-sha256",
  "diffie-hellman-group15-sha512",
  "diffie-hellman-group16-sha512",
  "diffie-hellman-group17-sha512",
  "diffie-hellman-group18-sha512",
];

/** Time for an orderly close. Without a limit, a dead connection would keep the process alive for minutes. */
const farewellMs = 1_000;

/**
 * Reads the keys of a login, before anything is sent.
 *
 * @throws KnockgateError `HOST_KEY_UNKNOWN`, `ARGUMENTS_INVALID`
 */
export async function readCredentials(login: ResolvedLogin, field: string): Promise<Credentials> {
  const key = await readPrivateKey(login, field);
  return { login, field, key, expected: await findExpectedKeys(login, field) };
}

/**
 * Logs in over a stream that leads to an SSH server. Ends the stream when the login fails.
 *
 * @throws KnockgateError `HOST_KEY_MISMATCH`, `LOGIN_REFUSED`, `HOST_UNFIT`, `UNREACHABLE`
 */
export async function openSsh(
  credentials: Credentials,
  stream: Duplex,
  name: string,
  timeoutMs: number,
): Promise<Ssh2Client> {
  const { login, key, expected, field } = credentials;
  const client = new Client();
  const attempt = planLogin(login, key, field);
  const algorithms = listKeyAlgorithms(expected?.keys ?? []) as ServerHostKeyAlgorithm[];
  const beginning = listenForBanner();
  let fault: Error | undefined;
  const verify = (shown: Buffer): boolean => {
    if (expected === undefined || expected.keys.some((known) => known.equals(shown))) return true;
    const what = `its host key ${fingerprintKey(shown)} is not one that ${expected.source} expects`;
    fault = refuseHostKey(name, what);
    return false;
  };
  let isEncrypted = false;
  try {
    await new Promise<void>((resolve, reject) => {
      client
        .once("ready", resolve)
        // `on`, not `once`: a second error can follow, and an error without a listener ends the process.
        .on("error", (error: Error & ClientErrorExtensions) => {
          if (error.level === "client-timeout") abandon(stream);
          // ssh2 itself goes on to the next way to log in.
          if (error.level === "agent") return attempt.blameAgent(error.message);
          fault ??= error;
          reject(fault);
        })
        .once("close", () => reject(fault ?? new Error("the connection was closed")))
        .on("change password", () => {
          const message = `${name}: the password has expired, and the server asks for a new one: log in once by hand.`;
          reject(new KnockgateError("LOGIN_REFUSED", message));
        })
        .connect({
          sock: stream,
          username: login.user,
          readyTimeout: timeoutMs,
          // A connection that was cut silently is noticed within 20 s.
          keepaliveInterval: 5_000,
          keepaliveCountMax: 3,
          authHandler: attempt.next,
          hostVerifier: verify,
          algorithms: { kex, ...(algorithms.length === 0 ? {} : { serverHostKey: algorithms }) },
        });
      listenBeside(stream, beginning.hear);
      client.once("handshake", () => {
        isEncrypted = true;
        stream.off("data", beginning.hear);
      });
    });
  } catch (cause) {
    stream.destroy();
    if (cause instanceof KnockgateError) throw cause;
    if (isHangUp(cause as Error, beginning)) {
      throw new KnockgateError("UNREACHABLE", `${name}: ${describeHangUp(beginning.said)}`, { cause });
    }
    if (isEncrypted && /bad packet length/i.test((cause as Error).message))
      throw blameBanner(name, cause as Error);
    throw explain(cause as Error, name, (error) => attempt.refuse(name, error));
  }
  const link: SshLink = {
    name,
    whyLost: () => fault?.message,
    onClose: (listener) => {
      client.once("close", listener);
      return () => client.off("close", listener);
    },
  };
  const stopHurrying = hurryServer(client, stream);
  const start = (command: string) => startCommand(client, link, command).finally(stopHurrying);
  return {
    name,
    converse: (command, hint) => openShellSession({ ...link, start }, command, hint),
    quote: (said) => quoteSaid(said, login.password),
    forward: (address, port, limitMs) => openForward(client, link, address, port, limitMs),
    onClose: (listener) => client.once("close", listener),
    close: () => {
      client.end();
      setTimeout(() => abandon(stream), farewellMs).unref();
    },
  };
}

/**
 * Listens to the same data as ssh2, and not earlier. A stream begins to flow with its first listener, and ssh2 adds its
 * own only when its ciphers are ready.
 */
function listenBeside(stream: Duplex, hear: (chunk: Buffer) => void): void {
  const join = (event: string | symbol): void => {
    if (event !== "data") return;
    stream.off("newListener", join);
    stream.on("data", hear);
  };
  stream.on("newListener", join);
}

/**
 * Whether the connection ended before the SSH identification. A timeout does not count, and neither does a server that
 * speaks another protocol and stays connected.
 */
function isHangUp({ level, message }: Error & ClientErrorExtensions, { isSsh }: Beginning): boolean {
  const isEnd = level === undefined || level === "client-socket" || /lost before handshake/i.test(message);
  return isEnd && !isSsh;
}

/**
 * Drops a connection that may be cut. After a plain close, the kernel would go on sending for minutes what was written
 * to it (tcp_orphan_retries in tcp(7)), and a host would run programs for a client that is gone.
 */
function abandon(stream: Duplex): void {
  if (stream instanceof Socket && !stream.destroyed) stream.resetAndDestroy();
  else stream.destroy();
}

function explain(
  cause: Error & ClientErrorExtensions,
  name: string,
  refuse: (cause: Error) => KnockgateError,
): KnockgateError {
  if (/no matching host key/i.test(cause.message)) {
    return refuseHostKey(name, lacksExpectedKeys, cause);
  }
  if (/no matching key exchange/i.test(cause.message)) {
    const message =
      `${name}: its sshd offers no key exchange that Knockgate supports: see KexAlgorithms in sshd_config(5). ` +
      "Any of ecdh-sha2, curve25519 and the diffie-hellman groups 14 to 18 is enough.";
    return new KnockgateError("HOST_UNFIT", message, { cause });
  }
  // A server that has seen too many wrong keys hangs up before all ways to log in are tried.
  if (cause.level === "client-authentication" || /authentication failures/i.test(cause.message)) {
    return refuse(cause);
  }
  return new KnockgateError("UNREACHABLE", `${name}: ${cause.message}`, { cause });
}

/** ssh2 takes no packet above 35,000 bytes, which is what RFC 4253 (6.1) asks for. A banner comes in one packet. */
function blameBanner(name: string, cause: Error): KnockgateError {
  const message =
    `${name}: it sent a packet of more than 35,000 bytes, or a broken one, before the login was done. ` +
    "If its sshd shows a `Banner` of more than 34,000 bytes (sshd_config(5)), make that shorter.";
  return new KnockgateError("HOST_UNFIT", message, { cause });
}
