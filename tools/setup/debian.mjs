import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { administratorFolders, findCommands } from "./commands.mjs";
import { SetupFailure } from "./failure.mjs";
import { runWithProgress, say } from "./progress.mjs";
import { withoutStartingServices } from "./services.mjs";

/** The commands that the tests, the checks and the demo run, by the Debian package that has them. */
const commandsByPackage = {
  nftables: ["nft"],
  iptables: ["iptables-restore", "iptables-legacy-restore"],
  "openssh-server": ["sshd"],
  "openssh-client": ["ssh", "ssh-keygen"],
  "openssh-tests": ["/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so"], // a security key in software
  iproute2: ["ip"],
  sudo: ["sudo"],
  opendoas: ["doas"],
  tcsh: ["tcsh"],
  yash: ["yash"],
  posh: ["posh"],
  mksh: ["mksh"],
  "ksh93u+m": ["ksh93"],
  shellcheck: ["shellcheck"],
  nmap: ["nmap"],
  tcpdump: ["tcpdump"],
  knockd: ["knock"], // its daemon stays stopped
  "iputils-ping": ["ping"],
  "netcat-openbsd": ["nc.openbsd"],
  "netcat-traditional": ["nc.traditional"],
  ncat: ["ncat"],
  rsync: ["rsync"],
  git: ["git"],
  "ansible-core": ["ansible"],
  zsh: ["zsh"],
  fish: ["fish"],
  "perl-base": ["perl"],
  "python3-minimal": ["python3"],
  busybox: ["busybox"], // busybox-static has the same command
  debootstrap: ["debootstrap"],
  "systemd-container": ["systemd-nspawn"],
  faketime: ["faketime"], // for the library that comes with it, libfaketime
  "util-linux": ["unshare", "nsenter", "flock", "setpriv"],
};

/** The servers among the packages, which must stay stopped: their services by package. */
const servers = { "openssh-server": "ssh.service", postgresql: "postgresql.service" };

/**
 * Installs the packages of commands that are missing. Does nothing when none is missing.
 * @param {Readonly<Record<string, readonly string[]>>} [wanted] commands by package; for a package without commands the
 * absolute path of a file
 */
export async function installDebianPackages(wanted = commandsByPackage) {
  const missing = findMissing(wanted);
  if (missing.commands.length === 0) return;
  const install = ["install", "-y", "--no-install-recommends", ...missing.packages];
  const what = `commands are missing: ${missing.commands.join(", ")}`;
  if (findCommands("apt-get").length === 0) {
    throw new SetupFailure(what, [
      `install them with your system's packages (in Debian: ${missing.packages.join(" ")})`,
    ]);
  }
  if (process.geteuid?.() !== 0) {
    throw new SetupFailure(`${what}; installing them needs root`, [
      `sudo apt-get update && sudo apt-get ${install.join(" ")}`,
    ]);
  }

  say(`apt-get ${install.join(" ")}: what runs here has real hosts in network namespaces`);
  await withoutStartingServices(async () => {
    await refreshPackageLists();
    await apt(install);
    for (const [name, service] of Object.entries(servers)) {
      if (missing.packages.includes(name)) await keepServerDisabled(service);
    }
  });
  const left = findMissing(wanted).commands;
  if (left.length > 0) {
    throw new SetupFailure(`apt-get ended well, but commands are still missing: ${left.join(", ")}`, [
      "look at the output of `apt-get` and at PATH",
    ]);
  }
}

/** @param {Readonly<Record<string, readonly string[]>>} wanted */
function findMissing(wanted) {
  const commands = [];
  const packages = [];
  for (const [name, own] of Object.entries(wanted)) {
    const absent = own.filter((command) => !isThere(command));
    commands.push(...absent);
    if (absent.length > 0) packages.push(name);
  }
  return { commands, packages };
}

/** @param {string} command */
function isThere(command) {
  return isAbsolute(command) ? existsSync(command) : findCommands(command, administratorFolders).length > 0;
}

async function refreshPackageLists() {
  try {
    await apt(["update"]);
  } catch (error) {
    // One unreachable source of many fails the whole update. What is needed may still come from the others.
    say(`apt-get update failed, trying with the lists that are there: ${firstLine(error)}`);
  }
}

/** @param {unknown} error */
function firstLine(error) {
  return error instanceof Error ? error.message.split("\n")[0] : String(error);
}

/** @param {readonly string[]} args */
async function apt(args) {
  await runWithProgress("apt-get", ["-o", "DPkg::Lock::Timeout=300", ...args], {
    env: { DEBIAN_FRONTEND: "noninteractive" },
    mustFinish: true,
  });
}

/**
 * A server that was installed only for what runs here must not start at the next reboot either.
 * @param {string} service
 */
async function keepServerDisabled(service) {
  if (findCommands("systemctl").length === 0) return;
  await runWithProgress("systemctl", ["disable", service]);
  say(`the system's own ${service} was left stopped and disabled: what runs here starts servers of its own`);
}
