import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { Act } from "./row";

const folder = "/var/lib/knockgate";
/** First in the PATH of root and of sudo, and each host's own. */
const tools = "/usr/local/sbin";

/** Gives our files a small disk of their own, before anything is there. */
export const giveSmallDisk: Act = async (scene) => {
  const { host } = scene;
  const mount = `mkdir -p ${folder} && cp -a ${folder} /run/kept &&
    mount -t tmpfs -o size=512k,mode=0700 tmpfs ${folder} && cp -a /run/kept/. ${folder} && rm -r /run/kept`;
  await host.run(["sh", "-c", mount]);
};

/** The same on a host whose script is another one, so that a confirm has to write it. */
export const giveSmallDiskAndOlderScript: Act = async (scene) => {
  await giveSmallDisk(scene);
  await scene.host.run(["sh", "-c", `echo "# older" >>${folder}/edge/host.sh`]);
};

export const fillDisk: Act = async (scene) => {
  await scene.host.run(["sh", "-c", `cat /dev/zero >${folder}/filler`], { check: false });
  scene.healLater(() => scene.host.run(["rm", `${folder}/filler`]));
};

/** Lets a folder be read and no more. */
export function makeReadOnly(path: string): Act {
  return async ({ host, healLater }) => {
    await host.run(["sh", "-c", `mount --bind ${path} ${path} && mount -o remount,bind,ro ${path}`]);
    healLater(() => host.run(["umount", path]));
  };
}

/** Takes a command away: its file can't be run any more. */
export function takeAway(command: string): Act {
  return async ({ host, healLater }) => {
    const { stdout } = await host.run(["sh", "-c", `readlink -f "$(command -v ${command})"`]);
    await host.run(["mount", "--bind", "/dev/null", stdout.trim()]);
    healLater(() => host.run(["umount", stdout.trim()]));
  };
}

/** The same, and it comes back by itself. */
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

export const oldNft = replace(
  "nft",
  'case $1 in --version) echo "nftables v0.9.2 (Scram)" ;; *) real "$@" ;; esac',
);

/** As one that was built without it says it. */
export const nftWithoutJson = replace(
  "nft",
  'case " $* " in *" -j "*) echo "JSON support not compiled-in" >&2; exit 1 ;; *) real "$@" ;; esac',
);

/** Puts another shell in the place of /bin/sh. */
export function replaceShell(shell: string): Act {
  return async ({ host, healLater }) => {
    const { stdout } = await host.run(["readlink", "-f", "/bin/sh"]);
    await host.run(["sh", "-c", `mount --bind "$(command -v ${shell})" ${stdout.trim()}`]);
    healLater(() => host.run(["umount", stdout.trim()]));
  };
}

/** Stands in for firewalld: a unit of its name, with a real systemd to ask. */
export const startFirewalld: Act = async ({ host, healLater }) => {
  const unit = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n";
  const install = "cat >/run/systemd/system/firewalld.service && systemctl daemon-reload";
  await host.run(["sh", "-c", install], { stdin: unit });
  await host.run(["systemctl", "start", "firewalld.service"]);
  healLater(() => host.run(["systemctl", "stop", "firewalld.service"]));
};

/** As an nft that does not know the statement says it. */
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

/** As iptables says it on a kernel without xt_recent. */
export const iptablesWithoutRecent = replace(
  "iptables-restore",
  `cat >/run/rules
if grep -q -e "-m recent" /run/rules; then
	echo "iptables-restore v1.8.9 (nf_tables): Couldn't load match \\\`recent':No such file or directory" >&2
	exit 2
fi
real "$@" </run/rules`,
);

/** Makes the disk slow where confirm waits for it: before it counts. The host's lock is held meanwhile. */
export function slowConfirm(seconds: number): Act {
  return replace(
    "sync",
    `case " $* " in *" ${folder}/edge/host.sh "*) sleep ${seconds} ;; esac
real "$@"`,
  );
}

/** What sudo allows the user ops. */
export function allowOps(rule: string): Act {
  return async ({ host, healLater }) => {
    await host.run(["cp", "-p", "/etc/sudoers", "/run/sudoers"]);
    await host.run(["sed", "-i", `s/^ops .*/${rule}/`, "/etc/sudoers"]);
    healLater(() => host.run(["sh", "-c", "cat /run/sudoers >/etc/sudoers"]));
  };
}

/** Another machine answers at the host's address: one with a key of its own. */
export const changeHostKey: Act = async ({ host, healLater }) => {
  const key = "/etc/ssh/ssh_host_ed25519_key";
  const reload = "kill -HUP $(cat /run/sshd.pid)";
  const make = `mv ${key} ${key}.kept && ssh-keygen -q -t ed25519 -N '' -f ${key} && ${reload}`;
  await host.run(["sh", "-c", make]);
  healLater(() => host.run(["sh", "-c", `mv -f ${key}.kept ${key} && ${reload}`]));
};

/** Ends a boot as `systemctl reboot` does or as a cut of the power; the host is up again later. */
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

/** Kills all that descends from sshd, so each session's shell and whatever it has started and still owns. */
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

/** Kills the control group of each SSH session of logind's. */
export const killSessionGroups: Act = async (scene) => {
  const program = `for scope in /sys/fs/cgroup/user.slice/user-*.slice/session-*.scope; do
	echo 1 >"$scope/cgroup.kill" && echo "$scope"
done`;
  const { stdout } = await scene.host.run(["sh", "-c", program]);
  if (stdout === "") throw new Error("there was no session to kill");
};

const fakeLibrary = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

const clockFile = "/etc/faketimerc";
const fakeClock = [
  "LD_PRELOAD=/etc/faketime.so",
  `FAKETIME_TIMESTAMP_FILE=${clockFile}`,
  "FAKETIME_NO_CACHE=1",
  "DONT_FAKE_MONOTONIC=1",
];

/**
 * Nobody may set the machine's clock for a test. libfaketime (faketime(1)) shows another one to every process of the
 * SSH sessions and of the services that start from now on, also after they have started; the monotonic clock, which
 * setting a clock does not change either, it leaves alone.
 */
export const prepareClock: Act = async ({ host, healLater }) => {
  const library = await readFile(fakeLibrary, "base64");
  await host.run(["sh", "-c", "base64 -d >/etc/faketime.so"], { stdin: library });
  await moveClock(host, "+0");
  const sshd = "kill -HUP $(cat /run/sshd.pid)";
  await host.run(["sh", "-c", `sed -i '1i SetEnv ${fakeClock.join(" ")}' /etc/ssh/sshd_config && ${sshd}`]);
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
