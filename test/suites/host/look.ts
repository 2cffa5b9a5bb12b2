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
import { type Deployment, deployTo } from "./deployment";

/** Looks at a host as a refresh does, through its gate. */
export async function observe(
  lab: Lab,
  host: LabHost,
  policy: Policy,
  deploy: () => Promise<Deployment> = () => deployTo(lab, host),
): Promise<Observed> {
  const { routes, dialing } = await deploy();
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
  deploy?: () => Promise<Deployment>,
): Promise<readonly string[]> {
  const observed = await observe(lab, host, policy, deploy);
  const digest = digestText(renderPolicy(policy));
  const found = assessDrift(observed, { policy, host: host.ipv4, digest, owner: "me" });
  return describeDrift(found, policy, makeRedaction(found, policy));
}
