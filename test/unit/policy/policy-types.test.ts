import type { types } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { expectTypeOf, test } from "vitest";
import type { z } from "zod";
import type { Policy, PolicyInput } from "../../../src/policy/policy";
import type { policySchema } from "../../../src/policy/schema";
import type { StepInput } from "../../../src/policy/step";
import type { StepArgs } from "../../../src/pulumi/gate/args";
import type { ConnectionArgs, ProxyConnectionArgs } from "../../../src/pulumi/gate/connection-args";

type DeepReadonly<T> = { readonly [K in keyof T]: DeepReadonly<T[K]> };

// `npm run check` compiles this: a type that differs does not compile.
test("the written types are those that the schema checks", () => {
  expectTypeOf<DeepReadonly<z.output<typeof policySchema>>>().toEqualTypeOf<Policy>();
  expectTypeOf<z.input<typeof policySchema>>().toEqualTypeOf<PolicyInput>();
});

test("a step in a program has the fields of a step in a file", () => {
  expectTypeOf<keyof StepArgs>().toEqualTypeOf<keyof StepInput>();
});

test("a connection has the fields of @pulumi/command's, and more", () => {
  type Theirs = types.input.remote.ConnectionArgs;
  expectTypeOf<
    Omit<ConnectionArgs, "transport" | "ignoreHostKey" | "sudoPassword" | "proxy">
  >().toEqualTypeOf<Omit<Theirs, "proxy">>();
  expectTypeOf<
    Omit<ProxyConnectionArgs, "ignoreHostKey">
  >().toEqualTypeOf<types.input.remote.ProxyConnectionArgs>();
  expectTypeOf<Theirs>().toExtend<ConnectionArgs>();
  expectTypeOf<pulumi.Unwrap<Theirs>>().toExtend<pulumi.Unwrap<ConnectionArgs>>();
});
