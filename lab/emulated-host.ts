import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findRootfs, type RootfsKind } from "../tools/setup/rootfs-place.mjs";
import type { BootedHost } from "./booted-host";
import { commandEnvironment, finishCommand, runCommand, startCommand } from "./command";
import type { Namespaces } from "./namespaces";
import { withoutCounts } from "./nft-listing";
import { letParentEnd } from "./parent";
import type { Socket } from "./wiring";

/** The emulator is 20 to 50 times as slow as the machine, which other tests may use, too. */
const bootLimitMs = 900_000;
const shutdownLimitMs = 300_000;
const commandLimitMs = 300_000;

/** The port of the emulated host's second sshd port. No gate protects it: the lab's own commands go there. */
const ownPort = 2_222;

/** Whether a root file system has a kernel of its own, so that an emulator boots it. */
export function hasKernel(kind: RootfsKind): boolean {
  return kind === "bullseye-kernel" || kind === "trixie-kernel";
}

/**
 * Boots a Debian with its own kernel in QEMU, without KVM. Its disk is an image of the bootable's disk, made at the
 * first boot; its network card stands on a bridge with the machine's link. Commands go through SSH.
 */
export async function bootEmulated(
  bootable: Namespaces,
  socket: Socket,
  { sshPort, directory }: { sshPort: number; directory: string },
): Promise<BootedHost> {
  const { name } = bootable;
  let output = "";
  const enter = ["nsenter", "--target", String(bootable.pid), "--net", "--mount", "--uts", "--pid", "--"];
  await runCommand([...enter, "sh", "-euc", prepare, "sh", findRootfs("emulator"), String(ownPort)], {
    timeoutMs: commandLimitMs,
  });
  const start = async (): Promise<ChildProcess> => {
    await socket.plug(bootable.pid);
    await runCommand([...enter, "sh", "-euc", bridge]);
    const child = spawn("nsenter", [...enter.slice(1), "chroot", findRootfs("emulator"), ...emulator], {
      env: commandEnvironment,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    letParentEnd(child);
    return child;
  };
  const options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"];
  const ssh = ["ssh", "-F", "none", "-i", join(directory, "id_ed25519"), "-p", String(ownPort)].concat(
    [...options, "BatchMode=yes", "ConnectTimeout=60"].flatMap((option) => ["-o", option]),
  );
  const startInside = (argv: readonly string[]) => {
    const command = argv.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    return startCommand([...ssh, `root@${socket.addresses.ipv4}`, command]);
  };
  const run: BootedHost["run"] = (argv, options = {}) => {
    const patient = { timeoutMs: commandLimitMs, ...options };
    return finishCommand(startInside(argv), `${name}: ${argv.join(" ")}`, patient);
  };
  let qemu = await start();
  const waitUntilUp = async () => {
    const isUp = `systemctl --quiet is-active ssh.service && [ "$(ip -o address show dev eth0 scope global | wc -l)" = 2 ]`;
    const until = Date.now() + bootLimitMs;
    while ((await run(["sh", "-c", isUp], { check: false }).catch(() => ({ code: 1 }))).code !== 0) {
      if (Date.now() > until || qemu.exitCode !== null) {
        throw new Error(`lab: ${name} was not up within ${bootLimitMs} ms: ${output.slice(-4_000)}`);
      }
      await sleep(1_000);
    }
    await socket.askAgain();
  };
  await waitUntilUp();
  return {
    name,
    ...socket.addresses,
    get pid() {
      return qemu.pid ?? 0;
    },
    sshPort,
    hostKey: bootable.told,
    run,
    spawn: startInside,
    ruleset: async () => withoutCounts((await run(["nft", "list", "ruleset"])).stdout),
    sshdLog: () => readFileSync(`/proc/${bootable.pid}/root/run/disk/root/var/log/sshd.log`, "utf8"),
    console: () => output,
    reboot: async ({ how }) => {
      if (how === "power") await runCommand(["pkill", "-KILL", "-P", String(qemu.pid)]);
      else await run(["systemctl", "reboot"], { check: false });
      if (qemu.exitCode === null && qemu.signalCode === null) {
        qemu.ref();
        await once(qemu, "exit", { signal: AbortSignal.timeout(shutdownLimitMs) }).catch((cause: unknown) => {
          throw new Error(`lab: ${name} did not shut down: ${output.slice(-4_000)}`, { cause });
        });
      }
      qemu = await start();
      await waitUntilUp();
    },
  };
}

/** Makes the image, and gives the emulator's root file system the machine's devices. */
const prepare = `
printf 'Port %s\\n' "$2" >>/run/disk/root/etc/ssh/sshd_config
cp /run/disk/root/boot/vmlinuz-* /run/disk/vmlinuz
cp /run/disk/root/boot/initrd.img-* /run/disk/initrd
mke2fs -q -t ext4 -d /run/disk/root /run/disk/image 2500M
mount --rbind /dev "$1/dev"
mount --bind /run/disk "$1/mnt"
`;

/** Puts the machine's link, which is new at each boot, on a bridge with the emulator's network card. */
const bridge = `
ip link show br0 >/dev/null 2>&1 || {
	ip link add br0 type bridge
	ip tuntap add tap0 mode tap
	ip link set tap0 master br0 up
	ip link set br0 up
}
ip link set eth0 master br0 up
`;

const emulator = [
  "qemu-system-x86_64",
  ...["-accel", "tcg", "-cpu", "max", "-m", "768", "-nodefaults", "-no-reboot", "-display", "none"],
  ...["-serial", "stdio"],
  ...["-kernel", "/mnt/vmlinuz", "-initrd", "/mnt/initrd"],
  ...["-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet"],
  ...["-drive", "file=/mnt/image,format=raw,if=virtio,cache=unsafe"],
  ...[
    "-netdev",
    "tap,id=net,ifname=tap0,script=no,downscript=no",
    "-device",
    "virtio-net-pci,netdev=net,romfile=",
  ],
  ...["-device", "virtio-rng-pci"],
];
