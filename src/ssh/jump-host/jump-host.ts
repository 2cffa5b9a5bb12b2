import { KnockgateError } from "../../errors.js";
import type { KnockStep, PortAnswer } from "../../knock/packet.js";
import {
  askAddresses,
  askAlive,
  askEcho,
  askPorts,
  readAnswers,
  readFault,
  tellKnock,
  writeProgram,
} from "../../knock/packet-program.js";
import { checkEcho, needsEcho } from "../../knock/preflight.js";
import { knockNotSent } from "../../knock/send-knock.js";
import { readSource } from "../../knock/source.js";
import type { SshClient } from "../client.js";
import type { CommandResult } from "../host.js";
import { greetShell } from "../own-shell.js";
import { quoteSaid } from "../quote-said.js";
import { startClock } from "../retry.js";

/** A machine reached by SSH, from which packets and connections go to a host. */
export interface JumpHost<C extends SshClient = SshClient> {
  readonly name: string;
  /**
   * Resolves a name on that machine, and checks that it can send the steps. It has a route to at least one of the
   * addresses.
   *
   * @throws KnockgateError `UNREACHABLE` when there is no address, or no route to any; `HOST_UNFIT` when the machine
   *   has no perl, or may not send echo requests that the steps need
   */
  survey(host: string, steps: readonly KnockStep[]): Promise<readonly ForwardTarget[]>;
  knock(address: string, steps: readonly KnockStep[]): Promise<void>;
  probePort(address: string, port: number, timeoutMs: number): Promise<PortAnswer>;
  ping(address: string, timeoutMs: number): Promise<boolean>;
  /** Hands out an SSH connection to it, as the carrier of one connection to another machine. */
  take(): Promise<C>;
  close(): void;
}

interface ForwardTarget {
  readonly address: string;
  /** The source address of packets to it; `undefined` when that machine has no route to it. */
  readonly source: string | undefined;
}

/** Whether the machine has a route to an address. */
export function isUsable(target: ForwardTarget): target is ForwardTarget & { readonly source: string } {
  return target.source !== undefined;
}

/** Added to the time that the packet program itself waits. */
const perlTimeoutMs = 15_000;
/** Time for one step: the packet program waits at most 150 ms after each. */
const stepTimeoutMs = 200;

/**
 * Keeps one spare SSH connection to a machine, and opens another when it is lost or taken. A dial to the host takes the
 * spare one as its carrier, as `ssh -J` does. So a lost carrier costs one connection to the host only. When a dial gets
 * no answer its carrier is closed, and with it the SYN, which the bastion's kernel would otherwise retransmit into the
 * next knock.
 */
export function makeJumpHost<C extends SshClient>(name: string, open: () => Promise<C>): JumpHost<C> {
  let spare: Promise<C> | undefined;
  let isClosed = false;
  const borrow = (): Promise<C> => {
    if (isClosed) return Promise.reject(new KnockgateError("UNREACHABLE", `${name}: it was closed`));
    if (spare !== undefined) return spare;
    const opening = open();
    spare = opening;
    const drop = (): void => {
      if (spare === opening) spare = undefined;
    };
    opening.then((client) => client.onClose(drop), drop);
    return opening;
  };
  // One command after the other: a server may run only one at a time (MaxSessions in sshd_config(5)).
  let last: Promise<unknown> = Promise.resolve();
  const ask = (request: string, timeoutMs: number): Promise<CommandResult> => {
    const answer = last.then(async () => {
      const leftMs = startClock(timeoutMs);
      const greeting = await greetShell(await borrow(), () => ["await_go; exec perl -"], leftMs());
      if (greeting.kind === "stranger") throw lacksPerl(name, `it did not run perl${greeting.how}`);
      const { conversation, go } = greeting.shell;
      return conversation.finish(`${go}${writeProgram(request)}`, leftMs());
    });
    last = answer.catch(() => undefined);
    return answer;
  };
  const askPortsSoon = gatherProbes(async (address, ports, timeoutMs) => {
    const { stdout } = await ask(askPorts(address, ports, timeoutMs), perlTimeoutMs + timeoutMs);
    return readAnswers(stdout) ?? [];
  });
  return {
    name,
    survey: async (host, steps) => {
      const request = askAddresses(host) + (needsEcho(steps) ? askEcho : "");
      const result = await ask(request, perlTimeoutMs);
      const answers = readAnswers(result.stdout);
      if (answers === undefined) throw lacksPerl(name, explainSilence(result));
      const fault = readFault(answers);
      if (fault !== undefined) {
        const message = `${host}: its name has no address on ${name}: ${fault.why}`;
        throw new KnockgateError("UNREACHABLE", message);
      }
      const targets = readTargets(host, name, answers);
      if (needsEcho(steps))
        checkEcho(
          name,
          answers,
          targets.filter(isUsable).map(({ address }) => address),
        );
      return targets;
    },
    knock: async (address, steps) => {
      if (steps.length === 0) return;
      const limitMs = perlTimeoutMs + steps.length * stepTimeoutMs;
      const { stdout } = await ask(tellKnock(address, steps), limitMs);
      const answers = readAnswers(stdout);
      const place = `${address} from ${name}`;
      if (answers === undefined) throw knockNotSent(place, 1, "perl did not run there");
      const fault = readFault(answers);
      // The first line names the address, so step 1 is line 2.
      if (fault !== undefined) throw knockNotSent(place, fault.line - 1, fault.why);
    },
    probePort: askPortsSoon,
    ping: async (address, timeoutMs) => {
      const { stdout } = await ask(askAlive(address, timeoutMs), perlTimeoutMs + timeoutMs);
      return readAnswers(stdout)?.includes("ping answered") === true;
    },
    take: async () => {
      const carrier = await borrow();
      spare = undefined;
      return carrier;
    },
    close: () => {
      isClosed = true;
      spare?.then((client) => client.close()).catch(() => undefined);
    },
  };
}

/**
 * Probes requested at the same time are sent in one program: one after the other, each would wait out the silence of
 * the one before.
 */
function gatherProbes(
  ask: (address: string, ports: readonly number[], timeoutMs: number) => Promise<readonly string[]>,
): JumpHost["probePort"] {
  const gathered = new Map<
    string,
    { ports: Set<number>; timeoutMs: number; answers: Promise<readonly string[]> }
  >();
  return async (address, port, timeoutMs) => {
    let probes = gathered.get(address);
    if (probes === undefined) {
      const made = {
        ports: new Set<number>(),
        timeoutMs: 0,
        answers: Promise.resolve<readonly string[]>([]),
      };
      made.answers = Promise.resolve().then(() => {
        gathered.delete(address);
        return ask(address, [...made.ports], made.timeoutMs);
      });
      gathered.set(address, made);
      probes = made;
    }
    probes.ports.add(port);
    probes.timeoutMs = Math.max(probes.timeoutMs, timeoutMs);
    const answer = (await probes.answers).find((line) => line.startsWith(`port ${port} `));
    const word = answer?.split(" ")[2];
    return word === "open" || word === "refused" ? word : "silent";
  };
}

function readTargets(host: string, name: string, answers: readonly string[]): readonly ForwardTarget[] {
  const targets = answers
    .filter((line) => line.startsWith("address "))
    .map((line) => line.split(" "))
    .map(([, address = "-", source = "-"]) => ({ address, source: readSource(source, address) }))
    .filter(({ address }) => address !== "-");
  if (targets.some(isUsable)) return targets;
  throw new KnockgateError("UNREACHABLE", `${host}: ${name} has no route to any of its addresses`);
}

/** Only a name was sent until then, so its output may be quoted. */
function explainSilence({ code, stderr }: CommandResult): string {
  return code === 127 || /perl.*not found/i.test(stderr)
    ? "perl is not installed there (in Debian: perl-base)"
    : `perl ended before it answered (exit code ${code}${quoteSaid(stderr)})`;
}

function lacksPerl(name: string, why: string): KnockgateError {
  return new KnockgateError(
    "HOST_UNFIT",
    `${name}: the knock has to be sent from there, and ${why}. Nothing was sent to the host.`,
  );
}
