import type { Step } from "../policy/policy.js";
import { joinWords } from "../transport/shell.js";
import { writeBashKnock } from "./bash-knock.js";
import { listKeyOptions } from "./pinned-key.js";
import { writeShKnock } from "./sh-knock.js";
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
  const isPingAlone = steps.every(({ icmpPayloadBytes }) => icmpPayloadBytes !== undefined);
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
  const words = steps.flatMap(({ tcp, udp, udpPayloadBytes }) => [
    ...(tcp === undefined ? [] : [`${tcp}:tcp`]),
    ...(udp === undefined || udpPayloadBytes !== undefined ? [] : [`${udp}:udp`]),
  ]);
  return words.length === steps.length ? joinWords(["knock", "-d", `${pauseMs}`, host, ...words]) : undefined;
}

/** One run for each step, because nmap chooses the order of ports itself. */
function writeNmap(steps: readonly Step[], host: string): string | undefined {
  // For well-known UDP ports it sends several datagrams, which would be two steps where the next is the same.
  const isTwice = steps.some(({ udp }, index) => udp !== undefined && udp === steps[index + 1]?.udp);
  if (isTwice) return undefined;
  const [six, to] = [host.includes(":") ? ["-6"] : [], [host]];
  // No look-up of names, no second try, and no longer wait for an answer than between other tools' packets.
  const once = ["-n", "--max-retries", "0"];
  const patience = ["--initial-rtt-timeout", `${pauseMs}ms`, "--max-rtt-timeout", `${pauseMs}ms`];
  const runs = steps.map((step) => ["nmap", ...six, ...once, ...patience, ...listNmapOptions(step), ...to]);
  return runs.map(joinWords).join(" && ");
}

/**
 * -Pn: no packets that ask whether the host is up. -sT: the kernel's own connection, which needs no root and is ended.
 * --data-length: a payload of just that size, and not the one that nmap knows for a port.
 */
function listNmapOptions({ tcp, udp, udpPayloadBytes, icmpPayloadBytes }: Step): readonly string[] {
  if (tcp !== undefined) return ["-Pn", "-sT", "-p", `${tcp}`];
  if (udp !== undefined) return ["-Pn", "-sU", "--data-length", `${udpPayloadBytes ?? 0}`, "-p", `${udp}`];
  return ["-sn", "-PE", "--disable-arp-ping", "--data-length", `${icmpPayloadBytes}`];
}
