import { expect } from "vitest";
import type { LabHost } from "../../../../lab/host";
import type { Lab } from "../../../../lab/lab";
import { sendKnock, tryConnect } from "../../../../lab/packets";
import type { UserProject } from "./user-project";

export const steps = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 6633 }] as const;

/** Makes a stack, and configures it as docs/getting-started.md says. */
export async function configureStack(
  { run }: UserProject,
  lab: Lab,
  host: LabHost,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  await run(["pulumi", "stack", "init", "lab"]);
  const plain = { host: host.ipv4, user: "ops", hostKey: host.hostKey };
  const settings = Object.entries(plain).flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]);
  await run(["pulumi", "config", "set-all", ...settings]);
  for (const [key, value] of Object.entries({ ...secrets, privateKey: lab.privateKey })) {
    await run(["pulumi", "config", "set", "--secret", key], value);
  }
}

/** Takes a configured project through its life: `up`, a knock from a machine without an open door, `destroy`. */
export async function deployAndDestroy({ run }: UserProject, lab: Lab, host: LabHost): Promise<void> {
  const before = await host.ruleset();
  const quiet = ["--yes", "--non-interactive", "--color", "never"];
  const printed = await run(["pulumi", "up", "--skip-preview", ...quiet]);
  expect(printed).toContain(`edge on ${host.ipv4}:22: 6/6 confirm`);
  const [client] = lab.clients;
  if (client === undefined) throw new Error("the lab has no client");
  expect(await tryConnect(client, host.ipv4, 22, 700)).toBe("silent");
  await sendKnock(client, { to: host.ipv4, steps });
  expect(await tryConnect(client, host.ipv4, 22, 5_000)).toBe("open");
  const again = await run(["pulumi", "preview", "--expect-no-changes", ...quiet.slice(1)]);
  expect(again).toContain("3 unchanged");
  const removed = await run(["pulumi", "destroy", "--skip-preview", ...quiet]);
  expect(removed).toContain("the gate is removed, and nothing else");
  expect(await host.ruleset()).toBe(before);
}
