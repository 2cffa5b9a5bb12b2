import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { findRootfs, type RootfsKind } from "../tools/setup/rootfs-place.mjs";
import { commandEnvironment, finishCommand } from "./command";
import type { LabHost } from "./host";
import { initOf } from "./inits";
import { startInside } from "./machine";
import { makeNamespaces, type Namespaces } from "./namespaces";
import { withoutCounts } from "./nft-listing";
import { letParentEnd } from "./parent";
import type { Socket } from "./wiring";

const bootLimitMs = 180_000;
/** For a boot that is known not to end, and why. */
const hinderedLimitMs = 20_000;
const shutdownLimitMs = 60_000;

/**
 * A Debian booted by systemd-nspawn: a real init as its first process, its own network, boot id and files, and sshd as
 * one of its services. With systemd, its logins are sessions of logind. `pid` is the pid of its init, and changes with
 * each boot.
 */
export interface BootedHost extends LabHost {
  /**
   * Ends this boot, as `systemctl reboot` does or by a power cut, and boots again. The disk keeps its content. Resolves
   * when sshd runs and the addresses are there.
   */
  reboot(options: { readonly how: "clean" | "power" }): Promise<void>;
  /** What all boots wrote to the console. */
  console(): string;
}

export interface BootableOptions {
  readonly init: RootfsKind;
  readonly sshPort: number;
  /** The client's public key, one line. */
  readonly publicKey: string;
  /** Whether it may run containers of its own. */
  readonly nests: boolean;
}

/**
 * What a host that runs containers needs (systemd-nspawn(1)): all capabilities, and the calls by which runc sets a
 * filter of devices and a keyring.
 */
const nesting = ["--capability=all", "--system-call-filter=bpf add_key keyctl request_key"];

/**
 * Makes the part of a machine that outlives its boots: its disk, and the namespaces in which each boot is a container.
 */
export function makeBootable(
  name: string,
  socket: Socket,
  options: Omit<BootableOptions, "nests">,
): Promise<Namespaces> {
  const { init, sshPort, publicKey } = options;
  const { name: initName, writeNetwork } = initOf(init);
  const setup = [initName, findRootfs(init), String(sshPort), publicKey, writeNetwork(socket)];
  return makeNamespaces(name, ["booted-setup.sh", ...setup]);
}

interface Boot {
  /** Ends with the container. */
  readonly nspawn: ChildProcess;
  /** The container's first process, by its pid in the outside. */
  readonly pid: number;
}

export async function bootHost(
  bootable: Namespaces,
  socket: Socket,
  { init, sshPort, nests }: Pick<BootableOptions, "init" | "sshPort" | "nests">,
): Promise<BootedHost> {
  const { name } = bootable;
  let output = "";
  const listen = (text: string) => {
    output += text;
  };
  const boots = () => start(bootable, socket, nests ? nesting : [], listen);
  let boot = await boots();
  const run: LabHost["run"] = (argv, options = {}) => {
    return finishCommand(startInside(boot.pid, argv), `${name}: ${argv.join(" ")}`, options);
  };
  const waitUntilUp = async () => {
    const isUp = `{ ${initOf(init).isSshdUp}; } >/dev/null 2>&1 && [ "$(ip -o address show dev eth0 scope global | wc -l)" = 2 ]`;
    const startedMs = Date.now();
    while ((await run(["sh", "-c", isUp], { check: false })).code !== 0) {
      const hindrance = explain(output);
      const limitMs = hindrance === "" ? bootLimitMs : hinderedLimitMs;
      if (Date.now() > startedMs + limitMs) {
        throw new Error(`lab: ${name} was not up within ${limitMs} ms${hindrance}: ${output}`);
      }
      await sleep(50);
    }
    await socket.askAgain();
  };
  await waitUntilUp();
  return {
    name,
    ...socket.addresses,
    get pid() {
      return boot.pid;
    },
    sshPort,
    hostKey: bootable.told,
    run,
    spawn: (argv) => startInside(boot.pid, argv),
    ruleset: async () => withoutCounts((await run(["nft", "list", "ruleset"])).stdout),
    sshdLog: () => readFileSync(`/proc/${bootable.pid}/root/run/disk/root/var/log/sshd.log`, "utf8"),
    console: () => output,
    reboot: async ({ how }) => {
      if (how === "power") process.kill(boot.pid, "SIGKILL");
      else await run(["reboot"], { check: false }); // reboot may end before it answers
      const code = await waitForExit(boot.nspawn, `${name} did not shut down: ${output}`);
      if (how === "clean" && code !== rebootWanted) {
        throw new Error(`lab: ${name} ended with code ${code} instead of rebooting: ${output}`);
      }
      boot = await boots();
      await waitUntilUp();
    },
  };
}

/** All booting hosts share one limit. systemd does not notice events that it could not watch for. */
function explain(output: string): string {
  if (!/inotify.*Too many open files/.test(output)) return "";
  return ", because too many hosts are up: boot fewer at a time, or raise fs.inotify.max_user_instances (inotify(7))";
}

/** systemd-nspawn's exit code when the container asks to be started again. */
const rebootWanted = 133;

/** Runs in the bootable's namespaces. The container ends with their first process. */
async function start(
  bootable: Namespaces,
  socket: Socket,
  options: readonly string[],
  listen: (text: string) => void,
): Promise<Boot> {
  await socket.plug(bootable.pid);
  const nspawn = "systemd-nspawn --quiet --register=no --keep-unit --network-interface=eth0 --boot";
  const place = `--directory=/run/disk/root --machine="${bootable.name}"`;
  // For tunnels that are made by programs, as WireGuard without a module of the kernel.
  const tunnels = "$([ ! -c /dev/net/tun ] || echo --bind=/dev/net/tun)";
  const program = `echo 0 >"$(cat /run/group)/cgroup.procs" && exec ${nspawn} ${place} ${tunnels} "$@" 2>&1`;
  const enter = ["--target", String(bootable.pid), "--net", "--mount", "--uts", "--pid", "--"];
  const child = spawn("nsenter", [...enter, "sh", "-c", program, "sh", ...options], {
    // The same form of control groups for all, whatever systemd-nspawn takes the container's init for.
    env: { ...commandEnvironment, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  child.stdout.setEncoding("utf8").on("data", listen);
  letParentEnd(child);
  let complaint = "";
  child.stdout.on("data", (text: string) => {
    complaint += text;
  });
  const pid = await waitForFirstProcess(child).catch((cause: unknown) => {
    throw new Error(`lab: ${bootable.name} did not begin to boot: ${complaint}`, { cause });
  });
  return { nspawn: child, pid };
}

/** Finds the only descendant of nsenter that is number 1 of its own pid namespace (proc(5): NSpid). */
async function waitForFirstProcess(nsenter: ChildProcess): Promise<number> {
  const until = Date.now() + bootLimitMs;
  while (Date.now() < until) {
    const found = listDescendants(nsenter.pid ?? 0).find((pid) => /^NSpid:.*\t1$/m.test(readStatus(pid)));
    if (found !== undefined) return found;
    if (nsenter.exitCode !== null) break;
    await sleep(10);
  }
  throw new Error(`systemd-nspawn's exit code is ${nsenter.exitCode}`);
}

function listDescendants(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    const pids = children === "" ? [] : children.split(" ").map(Number);
    return pids.flatMap((child) => [child, ...listDescendants(child)]);
  } catch {
    return []; // ended meanwhile
  }
}

function readStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return ""; // ended meanwhile
  }
}

async function waitForExit(child: ChildProcess, complaint: string): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  child.ref();
  const signal = AbortSignal.timeout(shutdownLimitMs);
  await once(child, "exit", { signal }).catch((cause: unknown) => {
    throw new Error(`lab: ${complaint}`, { cause });
  });
  return child.exitCode;
}
