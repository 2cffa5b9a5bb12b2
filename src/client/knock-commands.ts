import { unreachable } from "../errors.js";
import type { Step } from "../policy/step.js";
import { joinWords } from "../transport/shell.js";
import { writeBashKnock } from "./bash-knock.js";
import { listKeyOptions } from "./pinned-key.js";
import { shTools, writeShKnock } from "./sh-knock.js";
import { isHostWord, type Login, type Way } from "./way.js";

/** Lines for a POSIX shell that send one knock. A tool that can't send it as it has to be has none. */
export interface KnockCommands {
  /** knock(1) of knockd: TCP, and UDP of any size. */
  readonly knock?: string;
  /** nmap, as root if a step is UDP or ICMP. */
  readonly nmap?: string;
  /** bash and coreutils, with ping for ICMP. Through a bastion they are run there, over ssh. */
  readonly bash?: string;
  /** Any POSIX sh with nc, whichever netcat that is, and with ping for ICMP. */
  readonly netcat?: string;
  /** Any POSIX sh with ping: a knock of ICMP steps alone. */
  readonly ping?: string;
}

/** Packets that leave together can overtake each other. */
const pauseMs = 150;

/**
 * Writes a knock as commands. Through a bastion the knock has to leave from there, where other people may list
 * processes: what has the steps as its arguments is not offered for that.
 */
export function writeKnockCommands(steps: readonly Step[], way: Way): KnockCommands {
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

/** The program comes by standard input. */
function writeRemoteBash(bastion: Login, target: string): string {
  const options = listKeyOptions(bastion).flatMap(({ keyword, value }) => ["-o", `${keyword}=${value}`]);
  const login = ["ssh", ...options, "-l", bastion.user, "-p", `${bastion.port}`, bastion.host];
  return joinWords([...login, joinWords(["bash", "-s", "--", target])]);
}

/** It sends one byte in each datagram, and has no echo requests. */
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

/** One run for each step, because nmap chooses the order of ports itself. */
function writeNmap(steps: readonly Step[], host: string): string | undefined {
  if (steps.some((step, index) => passesForBoth(step, steps[index + 1]))) return undefined;
  const [six, to] = [host.includes(":") ? ["-6"] : [], [host]];
  // No look-up of names, no second try, and no longer wait for an answer than between other tools' packets.
  const once = ["-n", "--max-retries", "0"];
  const patience = ["--initial-rtt-timeout", `${pauseMs}ms`, "--max-rtt-timeout", `${pauseMs}ms`];
  const runs = steps.map((step) => ["nmap", ...six, ...once, ...patience, ...listNmapOptions(step), ...to]);
  return runs.map(joinWords).join(" && ");
}

/** For well-known UDP ports nmap sends several datagrams, which would be two steps where the next has the same port. */
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
 * -Pn: no packets that ask whether the host is up. -sT: the kernel's own connection, which needs no root and is ended.
 * --data-length: a payload of just that size, and not the one that nmap knows for a port.
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
