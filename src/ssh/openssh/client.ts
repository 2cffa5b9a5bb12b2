import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isatty } from "node:tty";
import { KnockgateError } from "../../errors.js";
import type { SshClient } from "../client.js";
import { unreachableError } from "../deadline.js";
import { readKeyType } from "../keys/key-blob.js";
import type { CommandLink } from "../link.js";
import { quoteSaid } from "../quote-said.js";
import type { ResolvedLogin } from "../resolve.js";
import { openShellSession } from "../shell-session.js";
import { askpassProgram } from "./askpass.js";
import { explainSsh, isWaitingForTouch, saysLittle } from "./failure.js";
import { type Keeper, startKeeper } from "./keeper.js";
import { type Dial, files, listArguments, writeProxyCommand } from "./options.js";
import { findSsh } from "./program.js";
import { startCommand } from "./start-command.js";

/** A login that ssh(1) makes. */
export interface OpensshLogin {
  readonly login: ResolvedLogin;
  /** The private key as ssh reads it; `undefined` when ssh decides. */
  readonly key: string | undefined;
  /** The blob of the one host key to take; `undefined` when ssh decides. */
  readonly pinned: Buffer | undefined;
  /** Where the expected host keys come from, for messages. */
  readonly keySource: string;
}

/** An SSH connection made by ssh(1). */
export interface OpensshClient extends SshClient {
  /** Writes a ProxyCommand that opens a TCP connection from there. */
  carry(address: string, port: number): string;
  /** Reads what ssh has logged about the connection so far. */
  readLog(): string;
}

/** Where a connection goes. */
export type DialWay = Pick<Dial, "family" | "proxyCommand">;

/** Far more than ssh prints. What it prints beyond that is dropped. */
const mostSaid = 64 * 1024;

/**
 * Dials by ssh(1), and waits until the login is done.
 *
 * @throws KnockgateError the codes of `explainSsh`, and `HOST_UNFIT`
 */
export async function openOpenssh(
  openssh: OpensshLogin,
  way: DialWay,
  name: string,
  timeoutMs: number,
): Promise<OpensshClient> {
  const program = await findSsh();
  const { login, pinned } = openssh;
  const readyWord = randomBytes(16).toString("hex");
  const isAttended = login.password === undefined && isatty(0) && isatty(2);
  const keeper = startKeeper(
    (folder) => listArguments(program, login, pinned, { ...way, folder, readyWord, timeoutMs, isAttended }),
    (folder) => listEnvironment(folder, isAttended),
    !isAttended,
  );
  const output = listen(keeper, readyWord);
  const lost = new Promise((resolve) => keeper.process.once("close", resolve));
  try {
    await writeFiles(keeper, openssh);
    keeper.start();
    const explain = () => explainSsh(name, output.said(), openssh);
    await waitUntilReady(keeper, output, { name, timeoutMs, explain });
    // The login is done, so ssh needs them no more.
    for (const file of [files.key, files.password]) await rm(join(keeper.folder, file), { force: true });
  } catch (error) {
    keeper.end();
    throw error;
  }
  const link: CommandLink = {
    name,
    whyLost: () => quoteSaid(output.said(), login.password).replace(/^: /, "") || undefined,
    onClose: (listener) => {
      keeper.process.once("close", listener);
      return () => keeper.process.off("close", listener);
    },
    start: async (command) => startCommand({ folder: keeper.folder, name, lost }, command),
  };
  return {
    name,
    converse: (command, hint) => openShellSession(link, command, hint),
    quote: (said) => quoteSaid(said, login.password),
    carry: (address, port) => writeProxyCommand(keeper.folder, address, port),
    readLog: () => readFile(join(keeper.folder, files.log)),
    onClose: (listener) => void link.onClose(listener),
    close: () => keeper.end(),
  };
}

/** ssh asks our program, or nobody: a program of a desktop would show a window. */
function listEnvironment(folder: string, isAttended: boolean): NodeJS.ProcessEnv {
  return {
    SSH_ASKPASS: join(folder, files.askpass),
    ...(isAttended ? {} : { SSH_ASKPASS_REQUIRE: "force" }),
    // Before OpenSSH 8.4 the program is asked only where there is a display.
    DISPLAY: process.env["DISPLAY"] || "knockgate:0",
  };
}

async function writeFiles(keeper: Keeper, { login: { password }, key, pinned }: OpensshLogin): Promise<void> {
  await keeper.write(files.askpass, askpassProgram, 0o700);
  if (key !== undefined) await keeper.write(files.key, withLineBreak(key));
  if (password !== undefined) await keeper.write(files.password, `${password}\n`);
  if (pinned !== undefined) await keeper.write(files.knownHosts, writeKnownHosts(pinned));
}

function writeKnownHosts(blob: Buffer): string {
  return `* ${readKeyType(blob)} ${blob.toString("base64")}\n`;
}

/** ssh reads a key file only with line breaks of one byte, and with one at its end. */
function withLineBreak(text: string): string {
  return `${text.replaceAll("\r\n", "\n").trimEnd()}\n`;
}

/** What the keeper and ssh print. */
interface SshOutput {
  readonly isReady: boolean;
  /** ssh's log once it has ended; where that says little, the words of other programs, too. */
  said(): string;
}

function listen({ process: keeper }: Keeper, readyWord: string): SshOutput {
  const texts = { stdout: "", stderr: "" };
  const add = (name: keyof typeof texts) => (chunk: Buffer) => {
    if (texts[name].length < mostSaid) texts[name] += chunk.toString("utf8");
  };
  keeper.stdout.on("data", add("stdout"));
  keeper.stderr.on("data", add("stderr"));
  return {
    get isReady() {
      return texts.stdout.includes(readyWord);
    },
    said: () => {
      const log = texts.stdout.replace(readyWord, "").trim();
      return saysLittle(log) ? `${texts.stderr}\n${log}` : log;
    },
  };
}

/** Empty when the connection has ended meanwhile. */
function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

interface Wait {
  readonly name: string;
  readonly timeoutMs: number;
  /** Explains why ssh ended. */
  readonly explain: () => KnockgateError;
}

function waitUntilReady(
  { process: keeper }: Keeper,
  output: SshOutput,
  { name, timeoutMs, explain }: Wait,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = (): void => {
      const limit = unreachableError(name, `no answer within ${Math.round(timeoutMs) / 1_000} s`);
      reject(isWaitingForTouch(output.said()) ? explain() : limit);
    };
    const timer = timeoutMs === 0 ? undefined : setTimeout(late, timeoutMs);
    keeper.stdout.on("data", () => {
      if (!output.isReady) return;
      clearTimeout(timer);
      resolve();
    });
    keeper.once("error", (cause) => {
      reject(
        new KnockgateError("HOST_UNFIT", `this machine could not start sh: ${cause.message}`, { cause }),
      );
    });
    keeper.once("close", () => {
      clearTimeout(timer);
      reject(explain());
    });
  });
}
