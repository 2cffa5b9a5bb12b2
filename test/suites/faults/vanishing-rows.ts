import { cut, cutFor, kill } from "./acts";
import { reboot } from "./host-acts";
import { type Failure, type Row, type StepName, stepNames, unnamedStep } from "./row";

const froms = ["update", "first"] as const;

function tellFrom(from: Row["from"]): string {
  return from === "first" ? "first change" : "update";
}

/** How `up` fails if its host vanishes after a step. */
const cutOff: Partial<Record<StepName, Failure>> = {
  connect: { at: "stage", code: "UNREACHABLE", state: "notLoaded" },
  stage: { at: "arm", code: "NOT_CONFIRMED", state: "notLoaded" },
  arm: { at: "load", code: "NOT_CONFIRMED", state: "timer" },
  load: { at: "prove", code: "NOT_CONFIRMED", state: "timer" },
  prove: { at: "confirm", code: "NOT_CONFIRMED", state: "timer" },
};

const cuts = froms.flatMap((from) =>
  stepNames.map((after): Row => {
    const up = cutOff[after];
    return {
      id: `cut-after-${after}-${from}`,
      done: `${tellFrom(from)}: the network is cut after ${after}, and stays so`,
      on: "namespace",
      from,
      within: { after, act: cut },
      ends: after === "confirm" ? "new" : "old",
      ...(up === undefined ? {} : { up, mended: [unnamedStep] }),
      isDeep: from === "first" || after !== "load",
    };
  }),
);

const shortCuts = (["arm", "load", "prove"] as const).map(
  (after): Row => ({
    id: `cut-for-5-s-after-${after}`,
    done: `update: the network is cut after ${after}, for 5 s`,
    on: "namespace",
    from: "update",
    within: { after, act: cutFor(5) },
    ends: "new",
    isDeep: true,
  }),
);

const undoneMeanwhile: Row = {
  id: "cut-for-20-s-after-load",
  done: "update: the network is cut after load, for 20 s: longer than the host is armed",
  on: "namespace",
  from: "update",
  within: { after: "load", act: cutFor(20) },
  ends: "old",
  up: { at: "prove", code: "NOT_CONFIRMED", state: "undoneByItself" },
  mended: [unnamedStep, "a host that had undone the change by itself was said not to have been changed"],
  isDeep: true,
};

const kills = froms.flatMap((from) =>
  stepNames.map(
    (after): Row => ({
      id: `kill-after-${after}-${from}`,
      done: `${tellFrom(from)}: program, engine and provider are killed (SIGKILL) after ${after}`,
      on: "namespace",
      from,
      within: { after, act: kill },
      ends: after === "confirm" ? "new" : "old",
      up: "killed",
      ...(after === "confirm" ? { knownTo: "pending operation" } : {}),
      isDeep: from === "first" || (after !== "load" && after !== "confirm"),
    }),
  ),
);

/**
 * How `up` fails if its host is rebooted after a step. Its message about the host depends on whether that is up again.
 */
const rebooted: Partial<Record<StepName, Failure>> = {
  connect: { at: "stage", code: "UNREACHABLE", state: ["notLoaded", "untouched"] },
  stage: { at: "arm", code: "UNREACHABLE", state: ["notLoaded", "untouched"] },
  arm: { at: "load", code: "NOT_CONFIRMED", state: ["timer", "undone", "undoneByItself"] },
  load: { at: "prove", code: "NOT_CONFIRMED", state: ["timer", "undone", "undoneByItself"] },
  prove: { at: "confirm", code: "NOT_CONFIRMED", state: ["timer", "undone", "undoneByItself"] },
};

const reboots = (["power", "clean"] as const).flatMap((how) =>
  froms.flatMap((from) =>
    stepNames.map((after): Row => {
      const up = rebooted[after];
      const what = how === "power" ? "the host's power is cut, and it boots," : "the host is rebooted";
      return {
        id: `reboot-by-${how}-after-${after}-${from}`,
        done: `${tellFrom(from)}: ${what} after ${after}`,
        on: "booted",
        from,
        within: { after, act: reboot(how) },
        ends: after === "confirm" ? "new" : "old",
        ...(up === undefined ? {} : { up, mended: [unnamedStep] }),
        isDeep: from === "first" || how === "clean" || (after !== "load" && after !== "confirm"),
      };
    }),
  ),
);

/** What happens to the network, the deployer or the whole host after each step. */
export const vanishings: readonly Row[] = [...cuts, ...shortCuts, undoneMeanwhile, ...kills, ...reboots];
