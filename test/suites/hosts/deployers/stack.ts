import { expect } from "vitest";
import type { LabHost } from "../../../../lab/host";
import type { Lab } from "../../../../lab/lab";
import { sendKnock, tryConnect } from "../../../../lab/packets";
import { slotAt, tokenOf, userKey } from "../../../../src/policy/token";
import type { UserProject } from "./user-project";

export const seed = "0123456789abcdef0123456789abcdef";
export const adaKey = userKey({ seed, policy: "edge", user: "ada" });

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

/** Takes a configured project through its life: `up`, a token from a machine without an open door, `destroy`. */
export async function deployAndDestroy({ run }: UserProject, lab: Lab, host: LabHost): Promise<void> {
  const before = await host.ruleset();
  const quiet = ["--yes", "--non-interactive", "--color", "never"];
  const printed = await run(["pulumi", "up", "--skip-preview", ...quiet]);
  expect(printed).toContain(`edge on ${host.ipv4}:22: 6/6 confirm`);
  const [client] = lab.clients;
  if (client === undefined) throw new Error("the lab has no client");
  expect(await tryConnect(client, host.ipv4, 22, 700)).toBe("silent");
  // The deployer has used the tokens of the first slots.
  const slot = slotAt(Date.now(), 60) + 10;
  const payload = tokenOf(adaKey, { policy: "edge", gate: "ssh", host: host.ipv4, slot });
  await sendKnock(client, { to: host.ipv4, steps: [{ udp: 62_201, payload }] });
  expect(await tryConnect(client, host.ipv4, 22, 5_000)).toBe("open");
  const again = await run(["pulumi", "preview", "--expect-no-changes", ...quiet.slice(1)]);
  expect(again).toContain("3 unchanged");
  const removed = await run(["pulumi", "destroy", "--skip-preview", ...quiet]);
  expect(removed).toContain("the gate is removed, and nothing else");
  expect(await host.ruleset()).toBe(before);
}
