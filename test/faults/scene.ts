import { join } from "node:path";
import type { BootedHost } from "../lab/booted-host";
import type { LabHost } from "../lab/host";
import type { Lab } from "../lab/lab";
import type { LabClient } from "../lab/machine";
import { type Declared, type Deployer, openDeployer, type Up } from "./deployer";
import { makePolicy, newSteps, oldSteps } from "./policies";
import type { Row } from "./row";

/** Where a row plays: a host, what is declared of it, and who declares it. */
export interface Scene {
  readonly lab: Lab;
  readonly host: LabHost;
  /** The same, where it is one that can be rebooted. */
  readonly booted: BootedHost | undefined;
  /** Whether it has no power, or boots. */
  isDown: boolean;
  /** Somebody else than the deployer: no door is ever open for them before they knock. */
  readonly client: LabClient;
  /** A machine of nobody's, to see what a kernel says of a ruleset. */
  readonly bystander: LabClient;
  readonly deployer: Deployer;
  /** Somebody with a stack of their own. */
  readonly other: Deployer;
  /** What the next `up` is to make of the host. */
  declared: Declared;
  /** The `up` that is under way. */
  up: Up | undefined;
  /** Keeps how a fault is taken away again: before the host is looked at from outside, and before the next `up`. */
  healLater(heal: () => Promise<unknown>): void;
  heal(): Promise<void>;
  /** Has the row's report say what was seen on the way. */
  note(words: string): void;
  readonly notes: readonly string[];
}

/** More than a busy machine needs from arm to confirm, and little to wait for. */
const undoAfterSeconds = 15;

export function openScene(row: Row, lab: Lab): Scene {
  const [booted] = lab.bootedHosts;
  const host = booted ?? lab.hosts[0];
  const [client, bystander] = lab.clients;
  if (host === undefined || client === undefined || bystander === undefined)
    throw new Error("a lab too small");
  const heals: (() => Promise<unknown>)[] = [];
  const notes: string[] = [];
  return {
    lab,
    host,
    booted,
    isDown: false,
    client,
    bystander,
    deployer: openDeployer(join(lab.directory, "deployer")),
    other: openDeployer(join(lab.directory, "other")),
    declared: {
      connection: {
        host: row.by === "name" ? `${host.ipv4.replaceAll(".", "-")}.fault.test` : host.ipv4,
        user: row.user ?? "ops",
        hostKey: host.hostKey,
        privateKey: lab.privateKey,
        // A row shall wait for the host, not for a deployer's patience.
        dialErrorLimit: 0,
        perDialTimeout: 5,
      },
      policy: makePolicy(row.from === "first" ? newSteps : oldSteps, row),
      undoAfterSeconds: row.armedSeconds ?? undoAfterSeconds,
    },
    up: undefined,
    healLater: (heal) => heals.push(heal),
    heal: async () => {
      for (const heal of heals.splice(0)) await heal();
    },
    note: (words) => notes.push(words),
    notes,
  };
}
