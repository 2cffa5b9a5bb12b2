import { unreachable } from "../../errors.js";
import { listProtected } from "../../policy/protect.js";
import type { Step } from "../../policy/step.js";
import { joinWords } from "../../ssh/quote-shell.js";
import { writeBashKnock } from "./bash-knock.js";
import { type ClientTokens, readClientKnock } from "./client-knock.js";
import { listKeyOptions } from "./pinned-key.js";
import type { ProfileGate } from "./profile.js";
import { shTools, writeShKnock } from "./sh-knock.js";
import { isHostWord, type SshEndpoint, type SshLogin } from "./ssh-endpoint.js";
import { writeTokenClient } from "./token-client.js";

/** Commands for a POSIX shell that send one knock. A tool that can't send the knock exactly has no command. */
export interface KnockCommands {
  /** knock(1) of knockd: TCP, and UDP of any size. */
  readonly knock?: string;
  /** nmap, as root if a step is UDP or ICMP. */
  readonly nmap?: string;
  /** bash and coreutils, with ping for ICMP. Behind a bastion, they run on the bastion, over ssh. */
  readonly bash?: string;
  /** Any POSIX sh with nc, from any netcat, and with ping for ICMP. */
  readonly netcat?: string;
  /** Any POSIX sh with ping, for a knock that has only ICMP steps. */
  readonly ping?: string;
}

/** Packets that are sent together can overtake each other. */
const pauseMs = 150;

/** Writes what opens a gate as commands. */
export function writeGateCommands(gate: ProfileGate, way: SshEndpoint): KnockCommands {
  const knock = readClientKnock(gate);
  switch (knock.kind) {
    case "sequence":
      return writeKnockCommands(knock.steps, way);
    case "tokens":
      return writeTokenCommands(knock, way, findAskedPort(gate));
    default:
      return unreachable(knock);
  }
}

/** The port that shows whether a gate is open. Asking would use up the opening for a single connection. */
export function findAskedPort({ protect, singleConnection }: ProfileGate): number | undefined {
  return singleConnection === true ? undefined : listProtected({ protect }, "tcp")[0]?.first;
}

/**
 * Writes commands that open a gate by a token. The program holds the user's key, so it comes on a shell's standard
 * input. Behind a bastion there are none: the key must not leave this machine.
 */
function writeTokenCommands(
  tokens: ClientTokens,
  { host, proxy }: SshEndpoint,
  port: number | undefined,
): KnockCommands {
  if (!isHostWord(host) || proxy !== undefined) return {};
  const run = (shell: "bash" | "sh") =>
    `${joinWords(["printf", "%s", writeTokenClient(tokens, host, port, shell)])} | ${joinWords([shell, "-s", "--", host])}`;
  return { bash: run("bash"), [tokens.carrier.kind === "udp" ? "netcat" : "ping"]: run("sh") };
}

/**
 * Writes a knock as commands. Behind a bastion, the knock must be sent from the bastion, where other people may list
 * processes. So no command that has the steps in its arguments there is offered.
 */
export function writeKnockCommands(steps: readonly Step[], way: SshEndpoint): KnockCommands {
  if (!isHostWord(way.host)) return {};
  const bash = writeBashKnock(steps, way.host);
  if (way.proxy !== undefined) {
    if (bash === undefined || !isHostWord(way.proxy.host)) return {};
    const program = joinWords(["printf", "%s", `${bash}; true`]);
    return { bash: `${program} | ${writeRemoteBash(way.proxy, way.host)}` };
  }
  const sh = writeShKnock(steps, way.host);
  const run = (shell: string, program: string | undefined) =>
    program && joinWords([shell, "-c", `${program}; true`, "knock", way.host]);
  const isPingAlone = steps.every(({ kind }) => shTools[kind] === "ping");
  return {
    ...when("knock", writeKnock(steps, way.host)),
    ...when("nmap", writeNmap(steps, way.host)),
    ...when("bash", run("bash", bash)),
    ...when(isPingAlone ? "ping" : "netcat", run("sh", sh)),
  };
}

function when<Tool extends string>(
  tool: Tool,
  command: string | undefined,
): { readonly [T in Tool]?: string } {
  return command === undefined ? {} : ({ [tool]: command } as { readonly [T in Tool]?: string });
}

/** Writes the command that runs a bash program on the bastion. The program comes on standard input. */
function writeRemoteBash(bastion: SshLogin, target: string): string {
  const options = listKeyOptions(bastion).flatMap(({ keyword, value }) => ["-o", `${keyword}=${value}`]);
  const login = ["ssh", ...options, "-l", bastion.user, "-p", `${bastion.port}`, bastion.host];
  return joinWords([...login, joinWords(["bash", "-s", "--", target])]);
}

/** knock(1) sends one byte in each datagram, and no echo requests. */
function writeKnock(steps: readonly Step[], host: string): string | undefined {
  const words = steps.flatMap((step) => writeKnockWord(step) ?? []);
  return words.length === steps.length ? joinWords(["knock", "-d", `${pauseMs}`, host, ...words]) : undefined;
}

function writeKnockWord(step: Step): string | undefined {
  switch (step.kind) {
    case "tcp":
      return `${step.port}:tcp`;
    case "udp":
      return step.payloadBytes === undefined ? `${step.port}:udp` : undefined;
    case "icmpEcho":
      return undefined;
    default:
      return unreachable(step);
  }
}

/** Writes one run of nmap for each step, because nmap itself chooses the order of ports. */
function writeNmap(steps: readonly Step[], host: string): string | undefined {
  if (steps.some((step, index) => passesForBoth(step, steps[index + 1]))) return undefined;
  const [six, to] = [host.includes(":") ? ["-6"] : [], [host]];
  // No look-up of names, no retries, and no longer wait for an answer than the pause between other tools' packets.
  const once = ["-n", "--max-retries", "0"];
  const patience = ["--initial-rtt-timeout", `${pauseMs}ms`, "--max-rtt-timeout", `${pauseMs}ms`];
  const runs = steps.map((step) => ["nmap", ...six, ...once, ...patience, ...listNmapOptions(step), ...to]);
  return runs.map(joinWords).join(" && ");
}

/**
 * Whether nmap's packets for a step could also take the next step. For well-known UDP ports nmap sends several
 * datagrams. These would be two steps if the next step has the same port.
 */
function passesForBoth(step: Step, next: Step | undefined): boolean {
  switch (step.kind) {
    case "udp":
      return next?.kind === "udp" && next.port === step.port;
    case "tcp":
    case "icmpEcho":
      return false;
    default:
      return unreachable(step);
  }
}

/**
 * -Pn: do not ask whether the host is up. -sT: use the kernel's own connection, which needs no root and is closed.
 * --data-length: send a payload of exactly this size, and not the payload that nmap knows for a port.
 */
function listNmapOptions(step: Step): readonly string[] {
  switch (step.kind) {
    case "tcp":
      return ["-Pn", "-sT", "-p", `${step.port}`];
    case "udp":
      return ["-Pn", "-sU", "--data-length", `${step.payloadBytes ?? 0}`, "-p", `${step.port}`];
    case "icmpEcho":
      return ["-sn", "-PE", "--disable-arp-ping", "--data-length", `${step.payloadBytes}`];
    default:
      return unreachable(step);
  }
}
