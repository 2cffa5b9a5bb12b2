import type { LabHost } from "../../../lab/host";
import { withoutCounts } from "../../../lab/nft-listing";
import { type Packets, type Sender, sendKnock, tryConnect } from "../../../lab/packets";
import type { StepInput } from "../../../src/policy/step";
import { waitUntil } from "./deployment";

/** Tells whether SSH answers a source, after a knock if there are steps. */
export async function isLetIn(
  from: Sender,
  host: LabHost,
  steps: readonly StepInput[] = [],
): Promise<boolean> {
  if (steps.length > 0) await sendKnock(from, { to: host.ipv4, steps: steps as Packets["steps"] });
  return (await tryConnect(from, host.ipv4, host.sshPort, 1_000)) === "open";
}

/** The policy's table without counters and elements, which change by themselves. Empty when it is not loaded. */
export async function listGate(host: LabHost, policy = "edge"): Promise<string> {
  const listing = ["nft", "-s", "-t", "list", "table", "inet", `knockgate_${policy}`];
  return withoutCounts((await host.run(listing, { check: false })).stdout);
}

/** The files below /var/lib, as kind, mode and path. A change's id is shortened to ID. */
export async function listFiles(host: LabHost): Promise<readonly string[]> {
  // busybox's find has no -printf. A file may vanish meanwhile.
  const list = ["find", "/var/lib", "-mindepth", "1", "-exec", "stat", "-c", "%A %04a %n", "{}", "+"];
  const { stdout } = await host.run(list, { check: false });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replace(/^(.)\S+/, (_all, kind: string) => (kind === "-" ? "f" : kind)))
    .map((line) => line.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "ID").replace(/^l \d+/, "l"))
    .sort();
}

/** Exactly these files are there after a confirmed change. */
export const confirmedFiles = [
  "d 0700 /var/lib/knockgate",
  "d 0700 /var/lib/knockgate/edge",
  "d 0700 /var/lib/knockgate/edge/changes",
  "d 0700 /var/lib/knockgate/edge/changes/ID",
  "f 0600 /var/lib/knockgate/edge/changes/ID/backend",
  "f 0600 /var/lib/knockgate/edge/changes/ID/host.sh",
  "f 0600 /var/lib/knockgate/edge/changes/ID/listing",
  "f 0600 /var/lib/knockgate/edge/changes/ID/owner",
  "f 0600 /var/lib/knockgate/edge/changes/ID/ruleset",
  "f 0600 /var/lib/knockgate/edge/changes/ID/tool",
  "f 0600 /var/lib/knockgate/edge/host.sh",
  "f 0600 /var/lib/knockgate/edge/loaded",
  "l /var/lib/knockgate/edge/confirmed",
];

/** The processes on a host that wait to undo something, by pid. */
export async function findTimers(host: LabHost): Promise<readonly string[]> {
  const show = 'for dir in /proc/[0-9]*; do echo "$dir $(tr "\\0" " " 2>/dev/null <$dir/cmdline)"; done';
  const { stdout } = await host.run(["sh", "-c", show]);
  return stdout
    .split("\n")
    .flatMap((line) => /^\/proc\/(\d+) \S*sh (?:-c .*host\.sh|\S+host\.sh expire) /.exec(line)?.[1] ?? []);
}

/** A timer that was just stopped may need a moment to end. */
export function waitForNoTimer(host: LabHost): Promise<void> {
  return waitUntil("no timer", 5_000, async () => (await findTimers(host)).length === 0);
}
