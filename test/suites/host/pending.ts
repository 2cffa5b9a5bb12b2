import { randomUUID } from "node:crypto";
import { nameOnHost } from "../../../src/backends/backends";
import { planLoad } from "../../../src/backends/load";
import { renderPolicy } from "../../../src/backends/render";
import { reachHost } from "../../../src/change/reach";
import { observeHost } from "../../../src/host/script/observe";
import { commandProgram, stageProgram } from "../../../src/host/script/program";
import { digestText } from "../../../src/policy/digest";
import type { Policy } from "../../../src/policy/policy";
import type { Deployment } from "./deployment";

/** Stages a change, or also arms and loads it, as a deployer that then vanishes. Returns the change's id. */
export async function leavePending(
  policy: Policy,
  formerPolicy: Policy | undefined,
  undoAfterSeconds: number,
  context: Deployment,
  upTo: "stage" | "load" = "load",
): Promise<string> {
  const known = formerPolicy === undefined ? [] : [formerPolicy];
  const { connection } = await reachHost(context.routes, known, formerPolicy !== undefined, context.dialing);
  const id = randomUUID();
  const text = renderPolicy(policy);
  const observed = await observeHost(connection, policy);
  const load = planLoad(policy, observed.loaded, observed.clientAddress);
  const files = {
    ruleset: text,
    load: load.text,
    owner: "someone",
    backend: nameOnHost(policy),
    undoAfterSeconds,
  };
  const programs = [
    stageProgram(policy.name, id, digestText(text), files),
    ...(upTo === "stage" ? [] : ["arm", "load"]).map((step) => commandProgram([step, policy.name, id])),
  ];
  for (const program of programs) {
    const { code, stderr } = await connection.run(program, 10_000);
    if (code !== 0) throw new Error(stderr);
  }
  connection.close();
  return id;
}
