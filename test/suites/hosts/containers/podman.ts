import type { BootedHost } from "../../../../lab/booted-host";
import { askBy, type Engine, makeImage, publish, runScript, serve, writeFile } from "./engine";

/** The lab's disk is an overlay, on which there can't be another one. Its control groups can't count processes. */
async function prepare(host: BootedHost): Promise<void> {
  await makeImage(host);
  await writeFile(host, "/etc/containers/containers.conf", "[containers]\npids_limit = 0\n");
}

const storage = '[storage]\ndriver = "vfs"\n';
const rootStorage = `${storage}runroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n`;
const importImage = "tar -C /srv/image -c . | podman import - page";

/** Netavark leads packets to the container by iptables' rules, as Docker does. */
export const podman: Engine = {
  id: "podman",
  on: "Podman, rootful",
  name: "Podman",
  scope: "prerouting",
  backends: ["nftables", "iptables"],
  families: ["ipv4", "ipv6"],
  prepare: async (host) => {
    await prepare(host);
    await writeFile(host, "/etc/containers/storage.conf", rootStorage);
  },
  start: (host) =>
    runScript(
      host,
      `podman network exists web || podman network create --ipv6 --subnet fd56::/64 --subnet 10.99.0.0/24 web
${importImage}
podman run --detach --restart always --name page --network web ${publish} localhost/page ${serve}
systemctl --quiet enable --now podman-restart.service
`,
    ),
  stop: (host) =>
    runScript(
      host,
      "systemctl --quiet disable --now podman-restart.service; podman rm --force --time 1 page",
    ),
  acts: [
    {
      id: "reload",
      act: "`podman network reload --all`",
      play: (host) => runScript(host, "podman network reload --all"),
    },
    {
      id: "restart",
      act: "restart of podman-restart.service, and with it of all containers",
      play: (host) => runScript(host, "systemctl restart podman-restart.service"),
    },
    {
      id: "container",
      act: "stop and start of the container",
      play: (host) => runScript(host, "podman stop --time 1 page; podman start page"),
    },
  ],
  askFromInside: (host, address, port) =>
    runScript(host, `podman exec page /bin/sh -c "${askBy(address, port)}"`),
  version: ["podman", "--version"],
};

const user = "plain";
const userId = 60_102;

/** Runs a script as a user with a session of systemd. */
function runAsUser(host: BootedHost, script: string): Promise<string> {
  const runtime = `/run/user/${userId}`;
  const environment = `XDG_RUNTIME_DIR=${runtime} DBUS_SESSION_BUS_ADDRESS=unix:path=${runtime}/bus HOME=/home/${user}`;
  return runScript(
    host,
    `cd /home/${user}
runuser -u ${user} -- env ${environment} sh -eu -s <<'SCRIPT'
${script}
SCRIPT
`,
  );
}

/**
 * Its process rootlessport listens on the host's ports, like any other service.
 */
export const rootlessPodman: Engine = {
  id: "podman-rootless",
  on: "Podman, rootless",
  name: "Podman",
  scope: "input",
  backends: ["nftables", "iptables"],
  families: ["ipv4", "ipv6"],
  prepare: async (host) => {
    await prepare(host);
    await writeFile(host, `/home/${user}/.config/containers/storage.conf`, storage);
    await writeFile(host, "/etc/subuid", `${user}:200000:65536\n`);
    await writeFile(host, "/etc/subgid", `${user}:200000:65536\n`);
    await writeFile(host, "/etc/tmpfiles.d/tun.conf", "c /dev/net/tun 0666 - - - 10:200\n");
    // A user may mount /proc only where one can be seen that nothing is mounted over (user_namespaces(7)).
    await writeFile(host, "/etc/fstab", "proc /var/lib/whole-proc proc defaults 0 0\n");
    await runScript(
      host,
      `chown -R ${user}: /home/${user}
systemd-tmpfiles --create /etc/tmpfiles.d/tun.conf
mkdir /var/lib/whole-proc
mount /var/lib/whole-proc
loginctl enable-linger ${user}
until [ -S /run/user/${userId}/bus ]; do sleep 0.1; done
`,
    );
  },
  start: (host) =>
    runAsUser(
      host,
      `${importImage}
podman run --detach --restart always --name page ${publish} localhost/page ${serve}
systemctl --user --quiet enable --now podman-restart.service
`,
    ),
  stop: (host) =>
    runAsUser(
      host,
      "systemctl --user --quiet disable --now podman-restart.service; podman rm --force --time 1 page",
    ),
  acts: [
    {
      id: "restart",
      act: "restart of the user's podman-restart.service, and with it of all containers",
      play: (host) => runAsUser(host, "systemctl --user restart podman-restart.service"),
    },
    {
      id: "container",
      act: "stop and start of the container",
      play: (host) => runAsUser(host, "podman stop --time 1 page; podman start page"),
    },
    {
      id: "session",
      act: "restart of the user's systemd",
      play: (host) => runScript(host, `systemctl restart user@${userId}.service`),
    },
  ],
  askFromInside: (host, address, port) =>
    runAsUser(host, `podman exec page /bin/sh -c "${askBy(address, port)}"`),
  version: ["podman", "--version"],
};
