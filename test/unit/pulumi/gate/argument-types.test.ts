import type * as pulumi from "@pulumi/pulumi";
import { expectTypeOf, test } from "vitest";
import type { Profile } from "../../../../src/knock/clients/profile";
import type { PolicyInput } from "../../../../src/policy/policy";
import type { FleetHostArgs, KnockFleetArgs, RolloutArgs } from "../../../../src/pulumi/fleet/args";
import type { fleetNames, hostNames } from "../../../../src/pulumi/fleet/plan";
import type { RolloutInput } from "../../../../src/pulumi/fleet/rollout";
import type { WaveInputs, WaveState } from "../../../../src/pulumi/fleet/wave-state";
import type { KnockGateArgs, PolicyArgs } from "../../../../src/pulumi/gate/args";
import type { ConnectionArgs } from "../../../../src/pulumi/gate/connection-args";
import type { GatedHost } from "../../../../src/pulumi/gate/gated-host";
import type { KnockGate } from "../../../../src/pulumi/gate/knock-gate";
import type { Offer } from "../../../../src/pulumi/plugin/offer";
import type { ArgumentsInput, argumentNames } from "../../../../src/pulumi/ruleset/parse-inputs";
import type { RegisteredRuleset, RulesetArgs } from "../../../../src/pulumi/ruleset/ruleset";
import type { Sealed } from "../../../../src/pulumi/ruleset/sealed";
import type { RulesetInputs, RulesetState } from "../../../../src/pulumi/ruleset/state";
import type {
  StoredInputName,
  StoredStateName,
  sealedNames,
} from "../../../../src/pulumi/ruleset/stored-names";
import type { ConnectionInput } from "../../../../src/ssh/connection";

/** Leaves out what a program's types do not express: literals, readonly, absent or undefined. */
type Bare<T> = T extends string
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Bare<Item>[]
    : T extends object
      ? { readonly [Name in keyof T]: Bare<T[Name]> | undefined }
      : T;
/** The arguments as the engine has them, when all values are known. */
type Known<Args> = Bare<pulumi.Unwrap<Args>>;

// `npm run check` compiles this: a type that differs does not compile.
test("a program's types say what the schemas check", () => {
  expectTypeOf<Known<PolicyArgs>>().toEqualTypeOf<Bare<PolicyInput>>();
  expectTypeOf<Known<ConnectionArgs>>().toEqualTypeOf<Bare<ConnectionInput>>();
  expectTypeOf<Known<RolloutArgs>>().toEqualTypeOf<Bare<RolloutInput>>();
  // Only a part of another gate's outputs is read.
  type OfOthers = "behind" | "hopProfiles";
  type ByComponent = "health" | "recordFailure" | "keepFormer";
  expectTypeOf<Omit<Known<KnockGateArgs>, OfOthers>>().toEqualTypeOf<
    Omit<Bare<ArgumentsInput>, OfOthers | ByComponent>
  >();
  expectTypeOf<Known<Required<Pick<KnockGateArgs, OfOthers>>>>().toExtend<
    Required<Bare<Pick<ArgumentsInput, OfOthers>>>
  >();
});

test("a fleet's and a host's arguments are those of a gate, in their places", () => {
  type Shared = Omit<KnockGateArgs, "connection" | "policy">;
  expectTypeOf<Pick<KnockFleetArgs, keyof Shared>>().toEqualTypeOf<Shared>();
  type OfHost = Pick<KnockGateArgs, "proveFrom" | "behind" | "hopProfiles">;
  expectTypeOf<Pick<FleetHostArgs, keyof OfHost>>().toEqualTypeOf<OfHost>();
});

test("a gate and a host of a fleet make the profile of any user, in the shape of their own", () => {
  expectTypeOf<KnockGate["profileOf"]>().toEqualTypeOf<(user: string) => pulumi.Output<Profile>>();
  expectTypeOf<GatedHost["profileOf"]>().toEqualTypeOf<KnockGate["profileOf"]>();
  expectTypeOf<ReturnType<KnockGate["profileOf"]>>().toEqualTypeOf<KnockGate["profile"]>();
});

test("the names that are suggested for an unknown one are those of the types", () => {
  expectTypeOf<(typeof argumentNames)[number]>().toEqualTypeOf<keyof KnockGateArgs>();
  expectTypeOf<(typeof fleetNames)[number]>().toEqualTypeOf<keyof KnockFleetArgs>();
  expectTypeOf<(typeof hostNames)[number]>().toEqualTypeOf<keyof FleetHostArgs>();
});

test("what a component gives its resource, and reads from it, is in the state", () => {
  expectTypeOf<Exclude<keyof RulesetArgs, "unknownArguments">>().toExtend<keyof RulesetInputs>();
  type Read = Pick<RegisteredRuleset, "digest" | "counters" | "failure" | "lastChange">;
  expectTypeOf<Bare<pulumi.Unwrap<Read>>>().toEqualTypeOf<Required<Bare<Pick<RulesetState, keyof Read>>>>();
});

test("what is sealed has the types that it has in the complete state", () => {
  type AsGiven = "connection" | "policy" | "proveFrom" | "behind" | "hopProfiles" | "health";
  type Both = Exclude<keyof Sealed & keyof RulesetState, AsGiven>;
  expectTypeOf<Required<Bare<Pick<Sealed, Both>>>>().toEqualTypeOf<
    Required<Bare<Pick<RulesetState, Both>>>
  >();
  expectTypeOf<Exclude<keyof Sealed, keyof RulesetState>>().toEqualTypeOf<"hidden">();
});

test("each property of a complete state is stored", () => {
  type Stored = (typeof sealedNames)[number] | StoredStateName | StoredInputName;
  expectTypeOf<keyof RulesetState>().toEqualTypeOf<Exclude<Stored, "sealed">>();
});

test("other languages are offered the resources' properties, as they are stored", () => {
  type Ruleset = Offer["resources"]["Ruleset"];
  expectTypeOf<keyof Ruleset["outputs"]>().toEqualTypeOf<StoredStateName>();
  type Given = Exclude<keyof RulesetArgs, "unknownArguments">;
  expectTypeOf<keyof Ruleset["inputs"]>().toEqualTypeOf<Given | StoredInputName>();
  type Wave = Offer["resources"]["Wave"];
  expectTypeOf<keyof Wave["inputs"]>().toEqualTypeOf<keyof WaveInputs>();
  expectTypeOf<keyof Wave["outputs"]>().toEqualTypeOf<Exclude<keyof WaveState, "undone">>();
});
