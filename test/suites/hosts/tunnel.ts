import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BootedHost } from "../../../lab/booted-host";
import { runCommand, startCommand } from "../../../lab/command";
import type { Lab } from "../../../lab/lab";
import { findRootfs } from "../../../tools/setup/rootfs-place.mjs";

export const tunnelPort = 51_820;
/** Inside the tunnel: the deployer, and the host. */
const nearAddress = "10.99.0.1";
export const farAddress = "10.99.0.2";
/** A lab's network namespace may have links of this form only. */
const link = "kg900";
const tools = join(findRootfs("firewalls"), "usr", "bin");

interface Ends {
  readonly near: Key;
  readonly far: Key;
}

interface Key {
  readonly secret: string;
  readonly open: string;
}

export interface Tunnel {
  /** Ends the deployer's end and makes it anew, with another UDP port. */
  reconnect(): Promise<void>;
  close(): void;
}

/**
 * Makes a WireGuard tunnel from the deployer to a host, by wireguard-go: the tests' kernel may lack WireGuard. Packets
 * meet the same hooks of the firewall.
 *
 * @param isCalledBack whether the host begins the tunnel, too. Then no gate in front of its port hinders it
 */
export async function openTunnel(lab: Lab, host: BootedHost, isCalledBack: boolean): Promise<Tunnel> {
  const ends: Ends = { near: await makeKey(), far: await makeKey() };
  const nearPort = 41_820;
  const back = isCalledBack ? `Endpoint = ${lab.outside.ipv4}:${nearPort}\nPersistentKeepalive = 1\n` : "";
  const far = `[Interface]
Address = ${farAddress}/24
ListenPort = ${tunnelPort}
PrivateKey = ${ends.far.secret}
[Peer]
PublicKey = ${ends.near.open}
AllowedIPs = ${nearAddress}/32
${back}`;
  await host.run(["sh", "-c", "umask 077; cat >/etc/wireguard/wg0.conf"], { stdin: far });
  await host.run(["systemctl", "enable", "--now", "wg-quick@wg0"]);
  const near = `[Interface]
PrivateKey = ${ends.near.secret}
${isCalledBack ? `ListenPort = ${nearPort}\n` : ""}[Peer]
PublicKey = ${ends.far.open}
AllowedIPs = ${farAddress}/32
Endpoint = ${host.ipv4}:${tunnelPort}
`;
  const file = join(lab.directory, "near.conf");
  writeFileSync(file, near, { mode: 0o600 });
  let child = await start(file);
  const close = () => child.kill();
  return {
    reconnect: async () => {
      const ended = once(child, "close");
      close();
      await ended;
      child = await start(file);
    },
    close,
  };
}

async function makeKey(): Promise<Key> {
  const secret = (await runCommand([join(tools, "wg"), "genkey"])).stdout.trim();
  const open = (await runCommand([join(tools, "wg"), "pubkey"], { stdin: `${secret}\n` })).stdout.trim();
  return { secret, open };
}

/** Its socket is in a /run of its own. The link ends with the process. */
async function start(file: string): Promise<ReturnType<typeof startCommand>> {
  const program = `mount -t tmpfs tmpfs /run && mkdir /run/wireguard || exit 1
{
	until [ -S /run/wireguard/${link}.sock ]; do sleep 0.1; done
	"$1/wg" setconf ${link} "$2" && ip address add ${nearAddress}/24 dev ${link} && ip link set ${link} up && echo is up
} &
exec "$1/wireguard-go" -f ${link}`;
  const apart = ["unshare", "--mount", "--propagation", "private", "--"];
  const child = startCommand([...apart, "sh", "-c", program, "sh", tools, file]);
  let said = "";
  await new Promise<void>((resolve, reject) => {
    const listen = (text: string) => {
      said += text;
      if (said.includes("is up")) resolve();
    };
    child.stdout.setEncoding("utf8").on("data", listen);
    child.stderr.setEncoding("utf8").on("data", listen);
    child.on("close", () => reject(new Error(`the tunnel ended: ${said}`)));
  });
  return child;
}
