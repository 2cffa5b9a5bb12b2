import { KnockgateError } from "../errors.js";
import { findGate, firstTcpPort, isAllowed } from "../policy/gate.js";
import type { Gate, Policy } from "../policy/schema.js";
import type { HostConnection, Route } from "../transport/host.js";
import { dial } from "./reach.js";

/** What a proof needs to know besides the policy. */
export interface ProofContext {
  readonly route: Route;
  readonly sshPort: number;
  /** The deployer's address as the host sees it. */
  readonly clientAddress: string;
  /** How long a handshake takes on this way; waits grow with it. */
  readonly dialMs: number;
  log(line: string): void;
}

/** Packets get lost: a knock that did not open is sent once more, each try a whole sequence. */
const knockTries = 3;

/**
 * Proves from outside that each gate is closed before its knock and open after it, and that a fresh SSH connection
 * comes through. Returns that connection.
 *
 * @throws KnockgateError `NOT_CONFIRMED` with what did not hold.
 */
export async function proveGates(policy: Policy, context: ProofContext): Promise<HostConnection> {
  if (isAllowed(policy, context.clientAddress)) {
    context.log("closed: not checked, because this machine's address is in allowFrom");
  } else {
    await proveClosed(policy, context);
  }
  const sshGate = findGate(policy, context.sshPort);
  for (const gate of policy.gates) {
    if (gate !== sshGate) await proveOpens(gate, context);
  }
  return proveSsh(sshGate, context);
}

/** All gates at once: each silence has to be waited for. */
async function proveClosed(policy: Policy, { route, dialMs, log }: ProofContext): Promise<void> {
  const waitMs = Math.min(5_000, Math.max(700, 4 * dialMs));
  const answers = await Promise.all(
    policy.gates.map(async (gate) => {
      const port = firstTcpPort(gate);
      return { gate, port, answer: port === undefined ? undefined : await route.probePort(port, waitMs) };
    }),
  );
  for (const { gate, port, answer } of answers) {
    if (port === undefined) log(`closed: gate ${gate.name} not checked, because it protects UDP alone`);
    else if (answer === "silent")
      log(`closed: gate ${gate.name} does not answer on TCP port ${port} before the knock`);
    else throw notConfirmed(`TCP port ${port} of gate ${gate.name} answers before the knock (${answer})`);
  }
}

async function proveOpens(gate: Gate, { route, dialMs, log }: ProofContext): Promise<void> {
  const port = firstTcpPort(gate);
  if (port === undefined) return log(`open: gate ${gate.name} not checked, because it protects UDP alone`);
  for (let tries = 0; tries < knockTries; tries += 1) {
    await route.knock(gate.knock.steps);
    const answer = await route.probePort(port, Math.max(1_500, 4 * dialMs));
    if (answer !== "silent")
      return log(`open: gate ${gate.name} answers on TCP port ${port} after the knock (${answer})`);
  }
  throw notConfirmed(
    `TCP port ${port} of gate ${gate.name} does not answer after ${knockTries} knocks. ` +
      "Does a step get lost on the way from here, or does another firewall drop the port?",
  );
}

async function proveSsh(
  gate: Gate | undefined,
  { route, dialMs, log }: ProofContext,
): Promise<HostConnection> {
  const steps = gate?.knock.steps ?? [];
  let cause: unknown;
  for (let tries = 0; tries < knockTries; tries += 1) {
    try {
      const { connection } = await dial(route, steps, Math.max(4_000, 8 * dialMs));
      log(
        gate === undefined
          ? "open: a fresh SSH connection comes through; no gate protects SSH"
          : `open: gate ${gate.name} lets a fresh SSH connection through after the knock`,
      );
      return connection;
    } catch (error) {
      cause = error;
    }
  }
  throw notConfirmed(
    `no fresh SSH connection came through after ${knockTries} knocks: does a step get lost on the way from here?`,
    cause,
  );
}

function notConfirmed(message: string, cause?: unknown): KnockgateError {
  return new KnockgateError("NOT_CONFIRMED", message, { cause });
}
