import { runCommand } from "./command";
import type { LabHost } from "./host";
import type { Namespaces } from "./namespaces";

export interface Swallowed {
  readonly to: LabHost;
  readonly protocol: "tcp" | "udp" | "any";
  readonly port?: number;
  /** Drops also what comes from the host: with "any" a cut cable. Default false. */
  readonly isBothWays?: boolean;
}

export interface Swallowing {
  /** Lets the packets pass again. A second call does no harm. */
  restore(): Promise<void>;
}

let count = 0;

/** Makes the router drop packets to a host, over IPv4 and IPv6, without an answer. */
export async function swallow(router: Namespaces, what: Swallowed): Promise<Swallowing> {
  const table = `swallow${++count}`;
  const packets = renderPackets(what);
  const ways = what.isBothWays ? ["daddr", "saddr"] : ["daddr"];
  const rules = ways.flatMap((way) => [
    `ip ${way} ${what.to.ipv4} ${packets} drop`,
    `ip6 ${way} ${what.to.ipv6} ${packets} drop`,
  ]);
  await runNft(
    router,
    `table inet ${table} {
      chain forward {
        type filter hook forward priority filter; policy accept;
        ${rules.join("\n        ")}
      }
    }`,
  );
  let restoring: Promise<void> | undefined;
  return {
    restore: () => {
      restoring ??= runNft(router, `delete table inet ${table}`);
      return restoring;
    },
  };
}

function renderPackets({ protocol, port }: Swallowed): string {
  if (protocol === "any") return port === undefined ? "" : `meta l4proto { tcp, udp } th dport ${port}`;
  return port === undefined ? `meta l4proto ${protocol}` : `${protocol} dport ${port}`;
}

async function runNft(router: Namespaces, commands: string): Promise<void> {
  const enter = ["nsenter", "--target", String(router.pid), "--net", "--"];
  await runCommand([...enter, "nft", "-f", "-"], { stdin: `${commands}\n` });
}
