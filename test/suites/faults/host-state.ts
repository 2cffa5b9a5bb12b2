import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { runCommand } from "../../../lab/command";
import type { LabMachine } from "../../../lab/machine";
import { withoutCounts } from "../../../lab/nft-listing";
import { planLoad } from "../../../src/backends/load";
import { renderPolicy } from "../../../src/backends/render";
import type { PolicyInput } from "../../../src/policy/policy";
import { findRootfs, type RootfsKind } from "../../../tools/setup/rootfs-place.mjs";
import { readPolicy } from "../../unit/policy/read-policy";

/** A policy's state on a host, read without the host's own tools, which a row may have broken. */
export interface HostState {
  /** The kernel's listing; empty when nothing of ours is loaded. */
  readonly loaded: string;
  /** The confirmed ruleset, and the kernel's listing after it was loaded. */
  readonly confirmed?: { readonly text: string; readonly listing: string };
  /** Whether a change is armed and not confirmed. */
  readonly isPending: boolean;
  /** Whether the host has any file of ours. */
  readonly hasFiles: boolean;
}

export async function readHostState(
  host: LabMachine,
  policy: PolicyInput,
  debian?: RootfsKind,
): Promise<HostState> {
  const folder = join(ownFolder(host), policy.name);
  const loaded = await listLoaded(host, policy, debian);
  const link = join(folder, "confirmed");
  const confirmed = isThere(link)
    ? {
        text: readFileSync(link, "utf8"),
        listing: readFileSync(join(folder, dirname(readlinkSync(link)), "listing"), "utf8"),
      }
    : undefined;
  return {
    loaded,
    isPending: existsSync(join(folder, "pending")),
    hasFiles: existsSync(folder),
    ...(confirmed === undefined ? {} : { confirmed }),
  };
}

/**
 * Reads files only, so no process is started. A change of any policy is pending from arm until it is confirmed or
 * undone.
 */
export function isPending(host: LabMachine): boolean {
  const folder = ownFolder(host);
  return existsSync(folder) && readdirSync(folder).some((name) => existsSync(join(folder, name, "pending")));
}

/** The kernel's listing of a policy where nothing else was ever loaded. */
export async function listReference(
  machine: LabMachine,
  policy: PolicyInput,
  debian?: RootfsKind,
): Promise<string> {
  const enter = enterWith(debian);
  const { text } = planLoad(readPolicy(policy), undefined, "127.0.0.1");
  if (policy.backend !== "iptables") {
    await enter(machine, ["nft", "-f", "-"], text);
    const listing = await listLoaded(machine, policy, debian);
    await enter(machine, ["nft", "delete", "table", "inet", `knockgate_${policy.name}`]);
    return listing;
  }
  const [ipv4 = "", ipv6 = ""] = text.split(/^# ipv6$/m);
  await enter(machine, ["iptables-restore"], ipv4);
  await enter(machine, ["ip6tables-restore"], ipv6);
  const listing = await listLoaded(machine, policy, debian);
  for (const tool of ["iptables-restore", "ip6tables-restore"]) await enter(machine, [tool], emptyFilter);
  return listing;
}

const emptyFilter = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n";

/** The kernel lists sets in the order in which they were made. Otherwise two listings of one ruleset are the same. */
export function sortLines(listing: string): string {
  return listing.split("\n").sort().join("\n");
}

export function renderText(policy: PolicyInput): string {
  return renderPolicy(readPolicy(policy));
}

async function listLoaded(
  machine: LabMachine,
  { name, backend }: PolicyInput,
  debian?: RootfsKind,
): Promise<string> {
  const enter = enterWith(debian);
  if (backend !== "iptables") {
    const listing = await enter(machine, ["nft", "-s", "-t", "list", "table", "inet", `knockgate_${name}`]);
    // nft 0.9 prints zeros for each counter.
    return withoutCounts(listing).replace(/^\t*packets 0 bytes 0\t}$/gm, "\t}");
  }
  const isOurs = new RegExp(`^:kg_${name}|^-A kg_${name}| -j kg_${name}$`);
  const families = ["iptables", "ip6tables"].map(async (tool) => {
    const saved = await enter(machine, [`${tool}-save`, "-t", "filter"]);
    const own = saved.split("\n").filter((line) => isOurs.test(line));
    return own.map((line) => `${line.replace(/ \[\d+:\d+\]$/, " [0:0]")}\n`).join("");
  });
  const [ipv4, ipv6] = await Promise.all(families);
  return `${ipv4}${ipv6}` === "" ? "" : `# ipv4\n${ipv4}# ipv6\n${ipv6}`;
}

/** Runs tools in a machine's network: those of a Debian as it was built, by default the outside's own. */
function enterWith(debian: RootfsKind | undefined) {
  // An old nft opens /dev/stdin, which must be a pipe, and needs /proc for that.
  const program = 'mount -t proc proc "$1/proc" && cat | chroot "$@"';
  const apart = ["unshare", "--mount", "--propagation", "private", "sh", "-c", program, "sh"];
  const root = debian === undefined ? [] : [...apart, findRootfs(debian)];
  return async (machine: LabMachine, argv: readonly string[], stdin = ""): Promise<string> => {
    const net = ["nsenter", "--target", String(machine.pid), "--net", "--"];
    return (await runCommand([...net, ...root, ...argv], { stdin, check: false })).stdout;
  };
}

function ownFolder(host: LabMachine): string {
  return `/proc/${host.pid}/root/var/lib/knockgate`;
}

function isThere(link: string): boolean {
  return lstatSync(link, { throwIfNoEntry: false }) !== undefined;
}
