import { spawn } from "node:child_process";
import { KnockgateError } from "../../errors.js";
import { listKeyOptions } from "../../knock/clients/pinned-key.js";
import { isHostWord, type SshLogin } from "../../knock/clients/ssh-endpoint.js";
import { joinWords } from "../../ssh/quote-shell.js";
import { marker, type Try, writeOpening } from "./bastion-program.js";
import type { Opened, Opening } from "./open-gate.js";
import type { Supply } from "./supply.js";
import type { Target } from "./target.js";

type Answer = "open" | "refused" | "unasked";

/**
 * Sends what opens a gate from a bastion, try by try, until the port answers there. It uses ssh(1), with its keys and its
 * agent for the bastion, and bash there. The program goes on standard input, so that no process list shows it.
 *
 * @returns `undefined` when nothing ever came back; the answer `unasked` when there is no port to probe
 * @throws KnockgateError `HOST_UNFIT`, `UNREACHABLE`, `ARGUMENTS_INVALID`
 */
export async function openByBastion(
  bastion: SshLogin,
  { way, port }: Pick<Target, "way" | "port">,
  { note }: Pick<Opening, "note">,
  supply: Supply,
): Promise<Opened<Answer> | undefined> {
  checkHosts(bastion, way.host);
  const tries = await listTries(way.host, port === undefined ? 1 : supply.tries, supply);
  const program = writeOpening(way.host, tries, port);
  if (program === undefined) {
    const message = "the knock has a UDP step without payload, which bash on the bastion can't send";
    throw new KnockgateError("HOST_UNFIT", message);
  }
  let startedAt = 0;
  let knocks = 0;
  let opened: Opened<Answer> | undefined;
  let isBash = false;
  const talking = runSsh(bastion, [bastion.host, joinWords(["bash", "-c", awaitProgram, "bash", way.host])], {
    // If another shell reads our input, this line ends it. Our bash skips the line.
    first: "exit\n",
    onLine: (line, tell) => {
      // A login may have printed text without a line break before the marker.
      const at = line.indexOf(marker);
      const [, said, count] = at < 0 ? [] : line.slice(at).split(" ");
      if (said === "here" && !isBash) {
        isBash = true;
        tell(`${go}\n${program}`);
      }
      if (said === "began") startedAt = performance.now();
      if (said === "sent") {
        knocks = Number(count);
        note(`${supply.word} ${knocks} sent from ${bastion.host} to ${way.host}`);
      }
      if (said !== "open" && said !== "refused" && said !== "unasked") return;
      opened = { address: way.host, answer: said, knocks, tookMs: performance.now() - startedAt };
    },
  });
  try {
    await talking;
  } finally {
    // The bastion had all of them, and sent only some.
    await supply.giveBack(tries.length - knocks);
  }
  if (isBash) return opened;
  const why = "it did not run bash: is another login shell, a startup file or a ForceCommand in the way?";
  throw new KnockgateError("HOST_UNFIT", `bastion ${bastion.host}: ${why} Nothing was sent to the host.`);
}

async function listTries(host: string, count: number, supply: Supply): Promise<readonly Try[]> {
  const tries: Try[] = [];
  while (tries.length < count) {
    const steps = await supply.next(host);
    if (steps === undefined) break;
    tries.push({ steps, timeoutMs: supply.patienceMs(tries.length + 1) });
  }
  return tries;
}

const go = `${marker} go`;

/** The knock is sent only after the bash that we started has said that it listens. */
const awaitProgram = `echo; echo "${marker} here"; while read -r l; do case $l in "${go}") exec bash -s -- "$1" ;; esac; done`;

/**
 * Connects standard input and output with a port that the bastion reaches, until the connection ends.
 *
 * @throws KnockgateError `HOST_UNFIT`, `UNREACHABLE`, `ARGUMENTS_INVALID`
 */
export async function connectByBastion(bastion: SshLogin, host: string, port: number): Promise<void> {
  checkHosts(bastion, host);
  await runSsh(bastion, ["-W", `[${host}]:${port}`, bastion.host]);
}

function checkHosts(bastion: SshLogin, host: string): void {
  if (isHostWord(bastion.host) && isHostWord(host) && !bastion.user.startsWith("-")) return;
  throw new KnockgateError(
    "ARGUMENTS_INVALID",
    "the profile has a host or a user that can't be passed to ssh",
  );
}

interface Dialogue {
  readonly first: string;
  /** `tell` sends the last input, and ends it. */
  readonly onLine: (line: string, tell: (input: string) => void) => void;
}

/** Runs ssh to a bastion: with a talk, or with this process's own standard input and output. */
function runSsh(bastion: SshLogin, words: readonly string[], talk?: Dialogue): Promise<void> {
  const options = listKeyOptions(bastion).flatMap(({ keyword, value }) => ["-o", `${keyword}=${value}`]);
  const all = [...options, "-l", bastion.user, "-p", `${bastion.port}`, ...words];
  const ends = talk === undefined ? "inherit" : "pipe";
  return new Promise((resolve, reject) => {
    const child = spawn("ssh", all, { stdio: [ends, ends, "inherit"] });
    child.once("error", (cause) => {
      reject(new KnockgateError("HOST_UNFIT", "ssh could not be started", { cause }));
    });
    // All its output has been read by then.
    child.once("close", (code) => {
      if (code === 0) return resolve();
      const message = `${bastion.host}: ssh through the bastion ended with exit code ${code}`;
      reject(new KnockgateError("UNREACHABLE", message));
    });
    if (talk === undefined) return;
    let rest = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = `${rest}${text}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) talk.onLine(line, (input) => child.stdin?.end(input));
    });
    child.stdin?.on("error", () => undefined); // the exit of ssh says more
    child.stdin?.write(talk.first);
  });
}
