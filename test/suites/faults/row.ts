import type { ErrorCode } from "../../../src/errors";
import type { RootfsKind } from "../../../tools/setup/rootfs-place.mjs";
import type { Place } from "./policies";
import type { Scene } from "./scene";

/** The beginnings of the last lines that the provider logs for each step. */
export const steps = {
  connect: "1/6 connect",
  stage: "2/6 stage",
  arm: "3/6 arm",
  load: "4/6 load",
  prove: "5/6 prove: open",
  confirm: "6/6 confirm",
} as const;
export type StepName = keyof typeof steps;
export const stepNames = Object.keys(steps) as StepName[];

/** Without the part that tells the step's last line from its others. */
export function nameStep(step: StepName): string {
  return steps[step].replace(/:.*/, "");
}

/** Something that happens to a host, its network or a deployer. `scene.healLater` keeps how to end it. */
export type Act = (scene: Scene) => Promise<void>;

/** What an error must say about the host. */
export const states = {
  untouched: /Nothing was changed on the host\./,
  notLoaded: /nothing was loaded there/,
  undone: /The host has put back what it had before\./,
  undoneByItself: /The host has put back by itself what it had before\./,
  timer: /the host's own timer will put back what it had before within \d+ s\./,
} as const;

/** How `up` ends, if not well. */
export interface Failure {
  readonly code: ErrorCode;
  /** The step that failed, as the error names it. */
  readonly at: StepName;
  readonly state: keyof typeof states | readonly (keyof typeof states)[];
  /** Further words of the error. */
  readonly why?: RegExp;
}

/** Many rows first found this: an error of connect, prove or a lost connection did not name the step. */
export const unnamedStep = "the error did not name the step that failed";

export const undoneOnce =
  "the timer tried to undo once, so that whatever kept it from it then left the unproven ruleset loaded";

/** One row of the matrix: a fault, and how it must end. The same checks hold for all rows (play.ts). */
export interface Row {
  readonly id: string;
  /** What was done, as docs/faults.md tells it. */
  readonly done: string;
  /** A network namespace, or a Debian with a systemd of its own that can be rebooted. */
  readonly on: "namespace" | "booted";
  /** Whether the change is the first one of its host, or an update of a confirmed ruleset. */
  readonly from: "first" | "update";
  readonly backend?: "iptables";
  /** Default: ssh2. */
  readonly transport?: "openssh";
  /** What the new policy changes besides its knock; default nothing. */
  readonly becomes?: Place;
  /** How the deployer names the host; default by its IPv4 address. `name`: by a name with both of its addresses. */
  readonly by?: "name";
  /** Default `ops`, who may use sudo without a password. */
  readonly user?: "root" | "plain";
  /** Seconds until the host's timer undoes the change; default 15. */
  readonly armedSeconds?: number;
  /** Before `up` starts. */
  readonly before?: Act;
  /** During `up`: right after a step, while the provider is stopped. */
  readonly within?: { readonly after: StepName; readonly act: Act };
  /** Which ruleset the host has at the end. */
  readonly ends: "old" | "new";
  /** How `up` ends; default well. */
  readonly up?: Failure | "killed";
  /** Who knows the knock that opens the host at the end, before `up` runs again; default `state`. */
  readonly knownTo?: "state" | "pending operation" | "second deployer's state";
  /** Debians on which it is no fault. */
  readonly noFaultOn?: readonly RootfsKind[];
  /** Only with KNOCKGATE_DEEP=1: a quicker row shows nearly the same. */
  readonly isDeep?: boolean;
  /** What had to be mended in Knockgate before this row passed. */
  readonly mended?: readonly string[];
}
