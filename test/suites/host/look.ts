import type { LabHost } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import { renderPolicy } from "../../../src/backends/render";
import { reachHost } from "../../../src/change/reach";
import { describeDrift, makeRedaction } from "../../../src/host/describe-drift";
import { assessDrift } from "../../../src/host/drift";
import type { Observed } from "../../../src/host/observed";
import { observeHost } from "../../../src/host/script/observe";
import { digestText } from "../../../src/policy/digest";
import type { Policy } from "../../../src/policy/policy";
import type { ConnectionInput } from "../../../src/ssh/connection";
import { connectionTo, openDeployment } from "./deployment";

/** Looks at a host as a refresh does, through its gate. */
export async function observe(
  lab: Lab,
  host: LabHost,
  policy: Policy,
  limits: Partial<ConnectionInput> = {},
): Promise<Observed> {
  const { routes, dialing } = await openDeployment(connectionTo(lab, host, limits));
  const { connection } = await reachHost(routes, [policy], true, dialing);
  try {
    return await observeHost(connection, policy);
  } finally {
    connection.close();
  }
}

/** The lines of a refresh, about a policy that `me` has confirmed. */
export async function listDrift(
  lab: Lab,
  host: LabHost,
  policy: Policy,
  limits: Partial<ConnectionInput> = {},
): Promise<readonly string[]> {
  const observed = await observe(lab, host, policy, limits);
  const found = assessDrift(observed, { policy, digest: digestText(renderPolicy(policy)), owner: "me" });
  return describeDrift(found, policy, makeRedaction(found, policy));
}
