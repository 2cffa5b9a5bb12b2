import { setTimeout as pause } from "node:timers/promises";
import type { Stack } from "@pulumi/pulumi/automation";
import type { LabHost } from "../lab/host";
import type { Lab } from "../lab/lab";
import { withoutCounts } from "../lab/nft-listing";
import type { Client, Steps } from "./client";
import { findMessage, loud, type Show } from "./show";
import { showTokens } from "./tokens";

export interface Scene {
  readonly lab: Lab;
  readonly stack: Stack;
  /** The sequence of each host that has one. The next `up` declares these steps. */
  readonly steps: Map<string, Steps>;
  /** Whose tokens open the last host. The next `up` declares these people. */
  readonly people: Set<string>;
  readonly openForSeconds: number;
  readonly client: Client;
}

/** What the hosts' owners had before: destroy must leave exactly this. */
const foreignRules = `table inet site {
  chain input {
    type filter hook input priority filter; policy accept;
    ct state invalid drop
    tcp dport 8080 counter accept comment "the owner's own rule"
  }
}
`;

export async function showAll(scene: Scene, show: Show): Promise<void> {
  const [first, second, third] = scene.lab.hosts;
  if (first === undefined || second === undefined || third === undefined) {
    throw new Error("the demo needs three hosts");
  }
  const rulesets = await prepareHosts(scene, show);
  await showFirstUp(scene, show);
  await showTokens(scene, third, show);
  await showProof(scene, first, show);
  await showPreview(scene, first, show);
  await showUpdate(scene, first, show);
  await showLockout(scene, first, show);
  await showDrift(scene, second, show);
  await showDestroy(scene, rulesets, show);
}

async function prepareHosts({ lab }: Scene, show: Show): Promise<readonly string[]> {
  for (const host of lab.hosts) {
    await host.run(["nft", "-f", "-"], { stdin: foreignRules });
    show.say(`${host.name}: ${host.ipv4}, ${host.ipv6}, ${host.hostKey.slice(0, 40)}...`);
  }
  return Promise.all(lab.hosts.map((host) => host.ruleset()));
}

async function showFirstUp({ stack, lab }: Scene, show: Show): Promise<void> {
  show.chapter("pulumi up: SSH of two hosts goes behind a sequence, and of one behind tokens");
  const { summary } = await stack.up(loud);
  const created = summary.resourceChanges?.create ?? 0;
  show.claim(
    "first up gates SSH on three hosts",
    created === 1 + 2 * lab.hosts.length,
    `${created} resources created`,
  );
}

async function showProof({ client, steps, openForSeconds }: Scene, host: LabHost, show: Show): Promise<void> {
  show.chapter(`A sequence on ${host.name}, with OpenSSH's own client`);
  const before = await client.login(host);
  show.claim("without a knock ssh can't connect", before.includes("timed out"), before);
  await client.knock(host, steps.get(host.name) ?? []);
  const after = await client.login(host);
  show.claim("the knock opens", after === host.name, `hostname: ${after}`);
  await client.knock(host, steps.get(host.name) ?? []);
  const stayed = await client.stay(host, openForSeconds + 1);
  show.claim("an established session survives the window's end", stayed.endsWith("still here"), stayed);
  const late = await client.login(host);
  show.claim("a new connection then needs a new knock", late.includes("timed out"), late);
}

async function showPreview({ stack, steps }: Scene, host: LabHost, show: Show): Promise<void> {
  show.chapter(`pulumi preview --diff: ${host.name} shall get another second step`);
  steps.set(host.name, [{ tcp: 7411 }, { udp: 8744 }, { tcp: 6633 }]);
  const { stdout } = await stack.preview({ ...loud, diff: true });
  const lines = stdout.split("\n").filter((line) => /^\s+[-+]\s.*udp dport <ssh-2:/.test(line));
  show.claim(
    "preview --diff shows the ruleset's change line by line",
    lines.length >= 4,
    `${lines.length} lines`,
  );
  const secrets = ["7411", "8522", "8744", "6633"].filter((port) => new RegExp(`\\b${port}\\b`).test(stdout));
  show.claim("and no port of the knock", secrets.length === 0, `${secrets.length} found`);
}

async function showUpdate(
  { stack, client, steps, openForSeconds }: Scene,
  host: LabHost,
  show: Show,
): Promise<void> {
  show.chapter("pulumi up through the gate that is closed");
  const { summary } = await stack.up(loud);
  const updated = summary.resourceChanges?.update ?? 0;
  show.claim("up comes through the closed gate and changes one host", updated === 1, `${updated} updated`);
  await pause(openForSeconds * 1_000 + 500);
  await client.knock(host, [{ tcp: 7411 }, { udp: 8522 }, { tcp: 6633 }]);
  const old = await client.login(host);
  show.claim("the old knock opens nothing any more", old.includes("timed out"), old);
  await client.knock(host, steps.get(host.name) ?? []);
  const now = await client.login(host);
  show.claim("the new one opens", now === host.name, `hostname: ${now}`);
}

async function showLockout({ lab, stack, client, steps }: Scene, host: LabHost, show: Show): Promise<void> {
  show.chapter("An update that would lock the deployer out: the network eats TCP port 6755");
  const good = steps.get(host.name) ?? [];
  const before = await listTable(host);
  const eaten = await lab.swallow({ to: host, protocol: "tcp", port: 6755 });
  steps.set(host.name, [{ tcp: 7411 }, { udp: 8744 }, { tcp: 6755 }]);
  const error = await stack.up(loud).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  await eaten.restore();
  steps.set(host.name, good);
  const message = findMessage(error, /no fresh SSH connection.*had before\./);
  show.claim("the update fails, and says so", message !== "", message);
  const after = await listTable(host);
  show.claim("the host undid it: its old gate is back", before === after, "nft list table: the same bytes");
  await client.knock(host, good);
  const login = await client.login(host);
  show.claim("the old gate still works", login === host.name, `hostname: ${login}`);
}

async function showDrift({ stack }: Scene, host: LabHost, show: Show): Promise<void> {
  show.chapter(`Somebody deletes a rule on ${host.name} by hand; pulumi refresh finds it`);
  const { stdout: rules } = await host.run([
    "nft",
    "-a",
    "list",
    "chain",
    "inet",
    "knockgate_edge",
    "ssh_door",
  ]);
  const handle = / drop # handle (\d+)/.exec(rules)?.[1] ?? "";
  await host.run(["nft", "delete", "rule", "inet", "knockgate_edge", "ssh_door", "handle", handle]);
  show.say(`on ${host.name}: nft delete rule inet knockgate_edge ssh_door handle ${handle}`);
  const refreshed = await stack.refresh(loud);
  const changed = /drift: (changed outside: .*drop)/.exec(refreshed.stdout)?.[1] ?? "";
  show.claim("refresh finds a rule deleted by hand", changed !== "", changed);
  const undone = /drift: (undone: .*)/.exec(refreshed.stdout)?.[1] ?? "";
  show.claim("and the update that a host undid before", undone !== "", undone);
  const { stdout } = await stack.preview({ ...loud, diff: true });
  show.claim(
    "preview --diff shows the missing line",
    /^\s+\+\s+counter .* drop$/m.test(stdout),
    "+ counter name ... drop",
  );
  await stack.up(loud);
  const { stdout: repaired } = await host.run(["nft", "list", "chain", "inet", "knockgate_edge", "ssh_door"]);
  show.claim("the next up repairs it", / drop$/m.test(repaired), "the rule is back");
}

async function showDestroy({ lab, stack }: Scene, rulesets: readonly string[], show: Show): Promise<void> {
  show.chapter("pulumi destroy: the gates go, and nothing else");
  await stack.destroy(loud);
  const now = await Promise.all(lab.hosts.map((host) => host.ruleset()));
  const same = now.filter((ruleset, index) => ruleset === rulesets[index]).length;
  show.claim(
    "destroy leaves each firewall byte for byte as it was",
    same === lab.hosts.length,
    `${same} of ${lab.hosts.length} hosts`,
  );
  const kept = "/var/lib/knockgate/edge/ledger"; // which tokens are spent, so that none is ever good again
  const left = await Promise.all(
    lab.hosts.map((host) => host.run(["find", "/var/lib", "-path", "*knockgate*", "-type", "f"])),
  );
  const files = left.flatMap(({ stdout }) => stdout.split("\n")).filter((file) => !["", kept].includes(file));
  show.claim("and no file but the list of spent tokens", files.length === 0, `${files.length} others found`);
}

async function listTable(host: LabHost): Promise<string> {
  return withoutCounts(
    (await host.run(["nft", "-s", "-t", "list", "table", "inet", "knockgate_edge"])).stdout,
  );
}
