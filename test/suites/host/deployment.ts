import { randomUUID } from "node:crypto";
import type { LabHost } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import { makePurse } from "../../../src/change/purse";
import type { ChangeContext } from "../../../src/change/request";
import type { KnockStep } from "../../../src/knock/packet";
import { type ConnectionInput, connectionSchema } from "../../../src/ssh/connection";
import type { Route } from "../../../src/ssh/host";
import { type ResolvedConnection, resolveConnection } from "../../../src/ssh/resolve";
import { findRoutes } from "../../../src/ssh/routes";

/** A deployer's world, and its log. */
export interface Deployment extends ChangeContext {
  readonly lines: string[];
  /** Closes the connection to a bastion. */
  close(): void;
}

export type Wrap = (route: Route) => Route;

/** What speaks SSH in the tests: KNOCKGATE_TEST_TRANSPORT, or ssh2. */
const transport = process.env["KNOCKGATE_TEST_TRANSPORT"] === "openssh" ? "openssh" : "ssh2";

/** Chooses by the transport: the library and ssh(1) have their own words. */
export function byTransport<T>(words: { readonly ssh2: T; readonly openssh: T }): T {
  return words[transport];
}

/** The connection's fields for a host of the lab, with short time limits. */
export function connectionTo(lab: Lab, host: LabHost, more: Partial<ConnectionInput> = {}): ConnectionInput {
  const { ipv4, sshPort, hostKey } = host;
  const patience = { dialErrorLimit: 0, perDialTimeout: 5 };
  const login = { host: ipv4, port: sshPort, user: "root", hostKey, privateKey: lab.privateKey };
  return { transport, ...login, ...patience, ...more };
}

/** Reads a connection as the resource does. */
export function readConnection(input: ConnectionInput): Promise<ResolvedConnection> {
  return resolveConnection(connectionSchema.parse(input), "connection");
}

/** Makes a world as the resource does: real routes, real ids. */
export async function openDeployment(
  input: ConnectionInput,
  wrap: Wrap = (route) => route,
  steps: readonly KnockStep[] = [],
): Promise<Deployment> {
  const connection = await readConnection(input);
  const lines: string[] = [];
  const passage = await findRoutes(connection, steps);
  return {
    routes: passage.routes.map(wrap),
    cutOff: passage.cutOff ?? [],
    close: () => passage.close(),
    now: Date.now,
    dialing: {
      host: connection.host,
      purse: makePurse(Date.now),
      port: connection.port,
      perDialTimeoutMs: connection.perDialTimeout * 1_000,
      errorLimit: connection.dialErrorLimit,
    },
    newId: () => randomUUID(),
    lines,
    log: (line) => lines.push(line),
  };
}

export function deployTo(lab: Lab, host: LabHost, wrap?: Wrap): Promise<Deployment> {
  return openDeployment(connectionTo(lab, host), wrap);
}

/** The proof's text about a host that is named by its IPv4 address. */
export function sayUnnamed(host: LabHost): string {
  return `IPv6: not checked, because connection.host has only IPv4 addresses, and the host has ${host.ipv6} as well; for a name that has both, both are proven`;
}

const claimed = new WeakMap<Lab, number>();

/** Gives each caller a host of its own, so that tests can run side by side. */
export function claimHost(lab: Lab): LabHost {
  const index = claimed.get(lab) ?? 0;
  claimed.set(lab, index + 1);
  const host = lab.hosts[index];
  if (host === undefined) throw new Error(`the lab has only ${index} hosts`);
  return host;
}

/** Waits until something holds. The error says what was expected. */
export async function waitUntil(what: string, limitMs: number, isSo: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + limitMs;
  while (!(await isSo())) {
    if (performance.now() > until) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
