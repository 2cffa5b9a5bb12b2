import { spawn } from "node:child_process";
import { writeBashKnock } from "../client/bash-knock.js";
import { listKeyOptions } from "../client/pinned-key.js";
import { isHostWord, type Login } from "../client/way.js";
import { KnockgateError } from "../errors.js";
import { joinWords } from "../transport/shell.js";
import type { Target } from "./target.js";

/**
 * Sends a knock from a bastion: by ssh(1), with the keys and the agent that it has for it, and bash there. The program
 * goes by standard input, where no list of processes shows it.
 *
 * @throws KnockgateError `HOST_UNFIT`, `UNREACHABLE`, `ARGUMENTS_INVALID`
 */
export async function knockByBastion(bastion: Login, { way, steps }: Target): Promise<void> {
  checkHosts(bastion, way.host);
  const program = writeBashKnock(steps);
  if (program === undefined) {
    const message = "the knock has a UDP step without payload, which bash on the bastion can't send";
    throw new KnockgateError("HOST_UNFIT", message);
  }
  await runSsh(bastion, [bastion.host, joinWords(["bash", "-s", "--", way.host])], `${program}; true\n`);
}

/**
 * Connects standard input and output with a port that is reached from a bastion, until that ends.
 *
 * @throws KnockgateError `HOST_UNFIT`, `UNREACHABLE`, `ARGUMENTS_INVALID`
 */
export async function connectByBastion(bastion: Login, host: string, port: number): Promise<void> {
  checkHosts(bastion, host);
  await runSsh(bastion, ["-W", `[${host}]:${port}`, bastion.host], undefined);
}

function checkHosts(bastion: Login, host: string): void {
  if (isHostWord(bastion.host) && isHostWord(host) && !bastion.user.startsWith("-")) return;
  throw new KnockgateError("ARGUMENTS_INVALID", "the profile has a host or a user that ssh can't be given");
}

function runSsh(bastion: Login, words: readonly string[], stdin: string | undefined): Promise<void> {
  const options = listKeyOptions(bastion).flatMap(({ keyword, value }) => ["-o", `${keyword}=${value}`]);
  const all = [...options, "-l", bastion.user, "-p", `${bastion.port}`, ...words];
  const ends = stdin === undefined ? "inherit" : "pipe";
  return new Promise((resolve, reject) => {
    const child = spawn("ssh", all, { stdio: [ends, stdin === undefined ? "inherit" : "ignore", "inherit"] });
    child.once("error", (cause) => {
      reject(new KnockgateError("HOST_UNFIT", "ssh could not be started", { cause }));
    });
    child.once("exit", (code) => {
      if (code === 0) return resolve();
      const message = `${bastion.host}: ssh through the bastion ended with exit code ${code}`;
      reject(new KnockgateError("UNREACHABLE", message));
    });
    child.stdin?.on("error", () => undefined); // ssh's own end says more
    child.stdin?.end(stdin);
  });
}
