import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { findRootfs } from "../../../tools/setup/rootfs-place.mjs";
import { reloadSshd } from "../host/sshd";
import type { Act } from "./row";

const folder = "/var/lib/knockgate";
/** First in the PATH of root and of sudo, and each host's own. */
const tools = "/usr/local/sbin";

/** Gives our files a small disk of their own before the change. */
export const giveSmallDisk: Act = async (scene) => {
  const { host } = scene;
  const mount = `mkdir -p ${folder} && cp -a ${folder} /run/kept &&
    mount -t tmpfs -o size=512k,mode=0700 tmpfs ${folder} && cp -a /run/kept/. ${folder} && rm -r /run/kept`;
  await host.run(["sh", "-c", mount]);
};

/** The same on a host with another version of the script, so that a confirm has to write it. */
export const giveSmallDiskAndOlderScript: Act = async (scene) => {
  await giveSmallDisk(scene);
  await scene.host.run(["sh", "-c", `echo "# older" >>${folder}/edge/host.sh`]);
};

export const fillDisk: Act = async (scene) => {
  await scene.host.run(["sh", "-c", `cat /dev/zero >${folder}/filler`], { check: false });
  scene.healLater(() => scene.host.run(["rm", `${folder}/filler`]));
};

/** Makes a folder read-only. */
export function makeReadOnly(path: string): Act {
  return async ({ host, healLater }) => {
    await host.run(["sh", "-c", `mount --bind ${path} ${path} && mount -o remount,bind,ro ${path}`]);
    healLater(() => host.run(["umount", path]));
  };
}

/** Takes a command away: its file can't be executed any more. */
export function takeAway(command: string): Act {
  return async ({ host, healLater }) => {
    const { stdout } = await host.run(["sh", "-c", `readlink -f "$(command -v ${command})"`]);
    await host.run(["mount", "--bind", "/dev/null", stdout.trim()]);
    healLater(() => host.run(["umount", stdout.trim()]));
  };
}

/** The same for some seconds. */
export function takeAwayFor(command: string, seconds: number): Act {
  return async (scene) => {
    const heals: (() => Promise<unknown>)[] = [];
    await takeAway(command)({ ...scene, healLater: (heal) => heals.push(heal) });
    const healing = pause(seconds * 1_000).then(() => Promise.all(heals.map((heal) => heal())));
    scene.healLater(() => healing);
  };
}

/** Puts a script in front of a command; within it, `real` runs the command itself. */
export function replace(command: string, script: string): Act {
  return async ({ host, healLater }) => {
    const { stdout } = await host.run(["sh", "-c", `command -v ${command}`]);
    const text = `#!/bin/sh\nreal() { ${stdout.trim()} "$@"; }\n${script}\n`;
    const write = `cat >${tools}/${command} && chmod 0755 ${tools}/${command}`;
    await host.run(["sh", "-c", write], { stdin: text });
    healLater(() => host.run(["rm", "-f", `${tools}/${command}`]));
  };
}

/** Its lists in JSON say the version, too. */
export const oldNft = replace(
  "nft",
  `case " $* " in
*" --version "*) echo "nftables v0.9.2 (Scram)" ;;
*" -j "*) said=$(real "$@") && printf '%s\\n' "$said" | sed 's/"version": "[^"]*", "release_name": "[^"]*"/"version": "0.9.2", "release_name": "Scram"/' ;;
*) real "$@" ;;
esac`,
);

/** An nft that was built without JSON, with its message. */
export const nftWithoutJson = replace(
  "nft",
  'case " $* " in *" -j "*) echo "JSON support not compiled-in" >&2; exit 1 ;; *) real "$@" ;; esac',
);

/** Replaces /bin/sh by another shell. */
export function replaceShell(shell: string): Act {
  return async ({ host, healLater }) => {
    const { stdout } = await host.run(["readlink", "-f", "/bin/sh"]);
    await host.run(["sh", "-c", `mount --bind "$(command -v ${shell})" ${stdout.trim()}`]);
    healLater(() => host.run(["umount", stdout.trim()]));
  };
}

/** Stands in for firewalld: a unit of that name, so that a real systemd can be asked about it. */
export const startFirewalld: Act = async ({ host, healLater }) => {
  const unit = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n";
  const install = "cat >/run/systemd/system/firewalld.service && systemctl daemon-reload";
  await host.run(["sh", "-c", install], { stdin: unit });
  await host.run(["systemctl", "start", "firewalld.service"]);
  healLater(() => host.run(["systemctl", "stop", "firewalld.service"]));
};

/** An nft that does not know the statement, with its message. */
export const nftWithoutUpdate = replace(
  "nft",
  `for file; do :; done
case " $* " in *" -f "*) ;; *) real "$@"; exit ;; esac
[ "$file" != - ] || { cat >/run/nft-input; set -- "$1" /run/nft-input; file=/run/nft-input; }
if grep -q "update @" "$file"; then
	echo "$file:9:3-8: Error: syntax error, unexpected update" >&2
	exit 1
fi
real "$@"`,
);

/** iptables on a kernel without xt_recent, with its message. */
export const iptablesWithoutRecent = replace(
  "iptables-restore",
  `cat >/run/rules
if grep -q -e "-m recent" /run/rules; then
	echo "iptables-restore v1.8.9 (nf_tables): Couldn't load match \\\`recent':No such file or directory" >&2
	exit 2
fi
real "$@" </run/rules`,
);

/** Makes the disk slow before the decisive step of confirm. Confirm holds the host's lock meanwhile. */
export function slowConfirm(seconds: number): Act {
  return replace(
    "mv",
    `case " $* " in *" ${folder}/edge/confirmed.new "*) sleep ${seconds} ;; esac
real "$@"`,
  );
}

/** What sudo allows to the user ops. */
export function allowOps(rule: string): Act {
  return async ({ host, healLater }) => {
    await host.run(["cp", "-p", "/etc/sudoers", "/run/sudoers"]);
    await host.run(["sed", "-i", `s/^ops .*/${rule}/`, "/etc/sudoers"]);
    healLater(() => host.run(["sh", "-c", "cat /run/sudoers >/etc/sudoers"]));
  };
}

/** Another machine with another key answers at the host's address. */
export const changeHostKey: Act = async ({ host, healLater }) => {
  const key = "/etc/ssh/ssh_host_ed25519_key";
  await host.run(["sh", "-c", `mv ${key} ${key}.kept && ssh-keygen -q -t ed25519 -N '' -f ${key}`]);
  await reloadSshd(host);
  healLater(async () => {
    await host.run(["mv", "-f", `${key}.kept`, key]);
    await reloadSshd(host);
  });
};

/** Ends a boot, as `systemctl reboot` does or by a power cut. The host is up again later. */
export function reboot(how: "clean" | "power"): Act {
  return async (scene) => {
    const { booted } = scene;
    if (booted === undefined) throw new Error("this host can't be rebooted");
    const { pid } = booted;
    scene.isDown = true;
    const rebooting = booted.reboot({ how }).then(() => {
      scene.isDown = false;
    });
    scene.healLater(() => rebooting);
    while (existsSync(`/proc/${pid}`)) await pause(20);
  };
}

/** Kills all descendants of sshd, so each session's shell and all that it has started and still owns. */
export const endSessions: Act = async ({ host }) => {
  const program = `kill_below() {
	for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
		kill_below "$child"
		kill -9 "$child" 2>/dev/null || :
	done
}
kill_below "$(cat /run/sshd.pid)"`;
  await host.run(["sh", "-c", program]);
};

/** Kills the control group of each of logind's SSH sessions. */
export const killSessionGroups: Act = async (scene) => {
  const program = `for scope in /sys/fs/cgroup/user.slice/user-*.slice/session-*.scope; do
	echo 1 >"$scope/cgroup.kill" && echo "$scope"
done`;
  const { stdout } = await scene.host.run(["sh", "-c", program]);
  if (stdout === "") throw new Error("there was no session to kill");
};

/** Below the root of the host's own Debian, because it must fit the C library there. */
const fakeLibrary = "usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

const clockFile = "/etc/faketimerc";
const fakeClock = [
  "LD_PRELOAD=/etc/faketime.so",
  `FAKETIME_TIMESTAMP_FILE=${clockFile}`,
  "FAKETIME_NO_CACHE=1",
  "DONT_FAKE_MONOTONIC=1",
];

/**
 * A test must not set the machine's clock. libfaketime (faketime(1)) shows another clock to all processes of SSH
 * sessions and services that start from now on, also after they have started. It leaves the monotonic clock as it is,
 * which setting a clock does not change either.
 */
export const prepareClock: Act = async ({ host, debian, healLater }) => {
  const root = debian === undefined ? "/" : findRootfs(debian);
  const library = await readFile(join(root, fakeLibrary), "base64");
  await host.run(["sh", "-c", "base64 -d >/etc/faketime.so"], { stdin: library });
  await moveClock(host, "+0");
  await host.run(["sed", "-i", `1i SetEnv ${fakeClock.join(" ")}`, "/etc/ssh/sshd_config"]);
  await reloadSshd(host);
  await host.run([
    "sh",
    "-c",
    `[ ! -d /run/systemd/system ] || systemctl set-environment ${fakeClock.join(" ")}`,
  ]);
  healLater(() => moveClock(host, "+0"));
};

export function jumpClock(by: "+1y" | "-1y"): Act {
  return async ({ host }) => {
    const before = await readClock(host);
    await moveClock(host, by);
    const days = ((await readClock(host)) - before) / 86_400;
    if (Math.abs(days - (by === "+1y" ? 365 : -365)) > 2) throw new Error(`the clock jumped ${days} days`);
  };
}

type Host = Parameters<Act>[0]["host"];

async function moveClock(host: Host, to: string): Promise<void> {
  await host.run(["sh", "-c", `echo ${to} >${clockFile}.new && mv ${clockFile}.new ${clockFile}`]);
}

async function readClock(host: Host): Promise<number> {
  return Number((await host.run(["env", ...fakeClock, "date", "+%s"])).stdout);
}
