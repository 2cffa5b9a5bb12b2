import { join } from "node:path";
import type { BootedHost } from "../../../lab/booted-host";
import type { LabHost } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import type { LabClient } from "../../../lab/machine";
import type { RootfsKind } from "../../../tools/setup/rootfs-place.mjs";
import { type Declared, type Deployer, openDeployer, type Up } from "./deployer";
import { makePolicy, newSteps, oldSteps } from "./policies";
import type { Row } from "./row";

/** The scene of a row: a host, its declaration, and its deployers. */
export interface Scene {
  readonly lab: Lab;
  /** The Debian that the host is; default: this machine's files, or Debian 12 if it boots. */
  readonly debian: RootfsKind | undefined;
  readonly host: LabHost;
  /** The same host, if it can be rebooted. */
  readonly booted: BootedHost | undefined;
  /** Whether it has no power, or is booting. */
  isDown: boolean;
  /** A client that is not the deployer: no door is open for it before it knocks. */
  readonly client: LabClient;
  /** A machine without a role, where a ruleset's listing by the kernel can be read. */
  readonly bystander: LabClient;
  readonly deployer: Deployer;
  /** A second deployer with a stack of its own. */
  readonly other: Deployer;
  /** What the next `up` declares for the host. */
  declared: Declared;
  /** The `up` that is under way. */
  up: Up | undefined;
  /** Adds a step that ends the fault. It runs before the host is checked from outside, and before the next `up`. */
  healLater(heal: () => Promise<unknown>): void;
  heal(): Promise<void>;
  /** Adds what was seen on the way to the row's report. */
  note(words: string): void;
  readonly notes: readonly string[];
}

/** Longer than a busy machine needs from arm to confirm, but short enough to wait for. */
const undoAfterSeconds = 15;

/** @param transport what the deployer speaks SSH by. Default: what the row says, or ssh2. */
export function openScene(row: Row, lab: Lab, debian?: RootfsKind, transport = row.transport): Scene {
  const [booted] = lab.bootedHosts;
  const host = booted ?? lab.hosts[0];
  const [client, bystander] = lab.clients;
  if (host === undefined || client === undefined || bystander === undefined)
    throw new Error("a lab too small");
  const heals: (() => Promise<unknown>)[] = [];
  const notes: string[] = [];
  return {
    lab,
    debian,
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
        ...(transport === undefined ? {} : { transport }),
        privateKey: lab.privateKey,
        // A row must wait for the host, not for a deployer's retries.
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
