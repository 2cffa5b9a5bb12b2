import {
  Client,
  type ClientChannel,
  type ClientErrorExtensions,
  type ConnectConfig,
  type ServerHostKeyAlgorithm,
} from "ssh2";
import { KnockgateError } from "../errors.js";
import type { Connection } from "./connection.js";
import type { CommandResult, HostConnection } from "./host.js";
import { type ExpectedKeys, fingerprintKey, listKeyAlgorithms } from "./host-key.js";

/** Runs standard input as root. Said by exit code, because sudo's own words differ by version and language. */
const needsPassword = 96;
const asRoot =
  `sh -c 'if [ "$(id -u)" = 0 ]; then exec sh -s -- "$SSH_CONNECTION"; ` +
  `elif sudo -n true 2>/dev/null; then exec sudo -n -- sh -s -- "$SSH_CONNECTION"; else exit ${needsPassword}; fi'`;

/** Far more than a ruleset of a thousand gates; a host that sends without end is cut off. */
const maximumOutputBytes = 64 * 1024 * 1024;

/** Opens a fresh SSH connection to one address of a host. */
export async function connectSsh(
  connection: Connection,
  address: string,
  expected: ExpectedKeys | undefined,
  timeoutMs: number,
): Promise<HostConnection> {
  const name = `${connection.user}@${connection.host}:${connection.port}`;
  const client = new Client();
  let mismatch: KnockgateError | undefined;
  const verify = (key: Buffer): boolean => {
    if (expected === undefined || expected.keys.some((known) => known.equals(key))) return true;
    const shown = `its host key ${fingerprintKey(key)} is not one that ${expected.source} expects`;
    mismatch = new KnockgateError("HOST_KEY_MISMATCH", describeMismatch(name, address, shown));
    return false;
  };
  await new Promise<void>((resolve, reject) => {
    client
      // Many small messages go to and fro: Nagle's algorithm would hold each back for the other side's delayed ACK.
      .once("connect", () => client.setNoDelay(true))
      .once("ready", resolve)
      // Not once: an error can follow another, and one that nobody hears ends the process.
      .on("error", (cause) => reject(mismatch ?? cause))
      .once("close", () => reject(mismatch ?? unreachable(name, address, "the connection was closed")))
      .connect({ ...toConfig(connection, address, expected, timeoutMs), hostVerifier: verify });
  }).catch((cause: unknown) => {
    client.destroy();
    throw cause instanceof KnockgateError ? cause : explain(cause as Error, name, address);
  });
  return {
    run: (program, limitMs) => runProgram(client, name, program, limitMs),
    close: () => client.end(),
  };
}

function toConfig(
  connection: Connection,
  address: string,
  expected: ExpectedKeys | undefined,
  timeoutMs: number,
): ConnectConfig {
  const { password, privateKey, privateKeyPassword } = connection;
  const agent = connection.agentSocketPath ?? process.env["SSH_AUTH_SOCK"];
  const algorithms = listKeyAlgorithms(expected?.keys ?? []) as ServerHostKeyAlgorithm[];
  return {
    host: address,
    port: connection.port,
    username: connection.user,
    readyTimeout: timeoutMs,
    keepaliveInterval: 5_000,
    keepaliveCountMax: 3,
    ...(password === undefined ? {} : { password }),
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(privateKeyPassword === undefined ? {} : { passphrase: privateKeyPassword }),
    ...(agent === undefined ? {} : { agent }),
    ...(algorithms.length === 0 ? {} : { algorithms: { serverHostKey: algorithms } }),
  };
}

function explain(cause: Error & ClientErrorExtensions, name: string, address: string): KnockgateError {
  if (/no matching host key/i.test(cause.message)) {
    const kinds = "it has no host key of a kind that is expected";
    return new KnockgateError("HOST_KEY_MISMATCH", describeMismatch(name, address, kinds), { cause });
  }
  if (cause.level === "client-authentication") {
    return new KnockgateError(
      "LOGIN_REFUSED",
      `${name} (${address}): the host took none of the ways to log in. Check user, privateKey, password and agent.`,
      { cause },
    );
  }
  if (/privateKey|passphrase|encrypted/i.test(cause.message)) {
    return new KnockgateError(
      "ARGUMENTS_INVALID",
      "connection.privateKey can't be read with what was given.",
    );
  }
  return unreachable(name, address, cause.message, cause);
}

function describeMismatch(name: string, address: string, what: string): string {
  return (
    `${name} (${address}): ${what}. Nothing was sent. ` +
    "Either this is another machine, or its key was changed: find out which before you go on."
  );
}

function unreachable(name: string, address: string, why: string, cause?: Error): KnockgateError {
  return new KnockgateError("UNREACHABLE", `${name} (${address}): ${why}`, { cause });
}

function runProgram(
  client: Client,
  name: string,
  program: string,
  timeoutMs: number,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const lost = (why: string): void => reject(new KnockgateError("UNREACHABLE", `${name}: ${why}`));
    const timer = setTimeout(() => lost(`no answer within ${timeoutMs / 1_000} s`), timeoutMs);
    const finish = (then: () => void): void => {
      clearTimeout(timer);
      client.off("close", onClose);
      then();
    };
    const onClose = (): void => finish(() => lost("the connection was lost while a command ran"));
    client.once("close", onClose);
    const carry = (error: Error | undefined, stream: ClientChannel): void => {
      if (error !== undefined) {
        finish(() => lost(error.message));
        return;
      }
      const outputs: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
      let bytes = 0;
      const collect = (into: Buffer[]) => (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= maximumOutputBytes) into.push(chunk);
      };
      stream.on("data", collect(outputs.stdout));
      stream.stderr.on("data", collect(outputs.stderr));
      stream.on("close", (code: number | undefined) => {
        const stdout = Buffer.concat(outputs.stdout).toString("utf8");
        const stderr = Buffer.concat(outputs.stderr).toString("utf8");
        finish(() => {
          if (typeof code !== "number") lost("the connection was lost while a command ran");
          else if (code === needsPassword) reject(notAllowed(name));
          else resolve({ code, stdout, stderr });
        });
      });
      stream.end(program);
    };
    try {
      client.exec(asRoot, carry);
    } catch (error) {
      finish(() => lost(`the connection was lost (${error instanceof Error ? error.message : error})`));
    }
  });
}

function notAllowed(name: string): KnockgateError {
  return new KnockgateError(
    "NOT_ALLOWED",
    `${name}: is not root, and sudo wants a password or is not there. ` +
      "Log in as root, or allow this user to run `sh` by sudo without a password.",
  );
}
