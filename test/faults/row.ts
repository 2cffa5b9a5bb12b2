import type { ErrorCode } from "../../src/errors";
import type { Place } from "./policies";
import type { Scene } from "./scene";

/** The lines by which the provider tells that a step is over; the last of each. */
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

/** Without what tells the last of its lines. */
export function nameStep(step: StepName): string {
  return steps[step].replace(/:.*/, "");
}

/** Something that befalls a host, its network or a deployer; `scene.healLater` says how it ends. */
export type Act = (scene: Scene) => Promise<void>;

/** What an error must say of the host. */
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

/** What many rows found first: connect and prove, and whatever lost its connection, failed without saying where. */
export const unnamedStep = "the error did not name the step that failed";

export const undoneOnce =
  "the timer tried to undo once, so that whatever kept it from it then left the unproven ruleset loaded";

/** One row of the matrix: a fault, and what it must come to. The same is checked of all of them (play.ts). */
export interface Row {
  readonly id: string;
  /** What was done, as docs/faults.md tells it. */
  readonly done: string;
  /** A network namespace, or a Debian with a systemd of its own that can be rebooted. */
  readonly on: "namespace" | "booted";
  /** Whether the change is the first one of its host, or an update of a confirmed ruleset. */
  readonly from: "first" | "update";
  readonly backend?: "iptables";
  /** What the new policy changes besides its knock; default nothing. */
  readonly becomes?: Place;
  /** How the deployer declares the host; default by its IPv4 address. `name`: by a name that has both of its addresses. */
  readonly by?: "name";
  /** Default `ops`, whom sudo lets do all without a password. */
  readonly user?: "root" | "plain";
  /** For how many seconds the host is armed; default 15. */
  readonly armedSeconds?: number;
  /** Before `up` starts. */
  readonly before?: Act;
  /** Within `up`: right after a step, while the provider stands still. */
  readonly within?: { readonly after: StepName; readonly act: Act };
  /** Which ruleset the host has in the end. */
  readonly ends: "old" | "new";
  /** How `up` ends; default well. */
  readonly up?: Failure | "killed";
  /** Whose knock opens the host when all is over and `up` has not run again; default `state`. */
  readonly knownTo?: "state" | "pending operation" | "second deployer's state";
  /** What was staged for a first change stays, for root alone, until the next change removes it. */
  readonly leavesFiles?: boolean;
  /** Only with KNOCKGATE_DEEP=1: what a quicker row nearly shows. */
  readonly isDeep?: boolean;
  /** What had to be mended in Knockgate before this row passed. */
  readonly mended?: readonly string[];
}
