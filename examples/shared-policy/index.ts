import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { type GateArgs, KnockGate, type PolicyArgs, type StepArgs } from "knockgate";
import { parse } from "yaml";

/** What teams agree on. The knocks are secrets, and no team needs those of another. */
interface SharedPolicy extends Omit<PolicyArgs, "gates"> {
  readonly gates: readonly (Omit<GateArgs, "name" | "knock"> & { readonly name: string })[];
}

const config = new pulumi.Config();
const knocks = config.requireSecretObject<Record<string, StepArgs[]>>("knocks");

const file = join(__dirname, config.get("policyFile") ?? "policy.yaml");
// All JSON is YAML.
const shared: SharedPolicy = parse(readFileSync(file, "utf8"));

const gate = new KnockGate("shared", {
  connection: {
    host: config.require("host"),
    user: config.get("user") ?? "root",
    hostKey: config.require("hostKey"),
    privateKey: config.requireSecret("privateKey"),
  },
  policy: {
    ...shared,
    gates: shared.gates.map((each) => ({
      ...each,
      // A missing knock leaves a gate without steps, which fails in preview like any other mistake in a policy.
      knock: { steps: knocks.apply((all) => all[each.name] ?? []) },
    })),
  },
});

export const { knock } = gate;
