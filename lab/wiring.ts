import { readFileSync } from "node:fs";
import { runCommand } from "./command";
import type { Addresses } from "./machine";
import type { Namespaces } from "./namespaces";

export interface Wiring {
  readonly outside: Addresses;
  /** In the order of the machines. */
  readonly addresses: readonly Addresses[];
  /** Networks for machines that come later, or come back. */
  readonly sockets: readonly Socket[];
  /** Removes the outside's link, and with it the addresses and routes. */
  unwire(): Promise<void>;
}

/** A network for a machine that comes later and sets its own address. */
export interface Socket {
  readonly addresses: Addresses;
  readonly gateway: Addresses;
  /** Makes a new link eth0 in the network namespace of a process, in place of an earlier one. */
  plug(pid: number): Promise<void>;
  /** Makes the router ask for neighbours at once. After a vain try it would wait a second. */
  askAgain(): Promise<void>;
}

// The kernel itself makes these in every new network namespace once their module is loaded. They lead nowhere.
const kernelLinks = [
  "tunl0",
  "gre0",
  "gretap0",
  "erspan0",
  "ip_vti0",
  "ip6_vti0",
  "sit0",
  "ip6tnl0",
  "ip6gre0",
];
const mostMachines = 250;
const firstIndex = 1_000;

/** Throws unless this process lives in a network namespace where nothing but labs can be reached. */
export function requirePrivateNetwork(): void {
  const foreign = linkNames().filter((link) => !/^(lo|kg\d+)$/.test(link) && !kernelLinks.includes(link));
  if (foreign.length > 0) {
    throw new Error(
      `lab: this network namespace has other links (${foreign.join(", ")}), so it may be the machine's own; ` +
        "start it in a private one: unshare --net --mount --propagation private --pid --fork --kill-child " +
        "--mount-proc -- COMMAND",
    );
  }
}

/** Connects each machine, and the outside as number 0, with the router by a network of its own. */
export async function wire(
  router: Namespaces,
  machines: readonly Namespaces[],
  socketCount = 0,
): Promise<Wiring> {
  if (machines.length + socketCount > mostMachines)
    throw new Error(`lab: more than ${mostMachines} machines in one lab`);
  const lab = await claimLabNumber(router.pid);
  const link = `kg${lab}`;
  const others = machines.map((machine, index) => ({ machine, network: index + 1 }));
  const links = others.map(({ machine, network }) => {
    return `link add to${network} netns ${router.pid} type veth peer eth0 netns ${machine.pid}`;
  });
  const routerLines = [0, ...others.map(({ network }) => network)].flatMap((network) => {
    return attach(`to${network}`, routerAddresses(lab, network));
  });
  const outsideLines = [
    "link set lo up",
    ...attach(link, farAddresses(lab, 0)),
    ...route(`10.${lab}.0.0/16`, `fd77:${lab}::/32`, routerAddresses(lab, 0)),
  ];
  await runBatch("outside", links);
  await Promise.all([
    runBatch("outside", outsideLines),
    runBatch(router, routerLines),
    ...others.map(({ machine, network }) => {
      const defaultRoutes = route("0.0.0.0/0", "::/0", routerAddresses(lab, network));
      return runBatch(machine, [...attach("eth0", farAddresses(lab, network)), ...defaultRoutes]);
    }),
  ]);
  return {
    outside: farAddresses(lab, 0),
    addresses: others.map(({ network }) => farAddresses(lab, network)),
    sockets: Array.from({ length: socketCount }, (_, index) => {
      return makeSocket(router, lab, machines.length + 1 + index);
    }),
    unwire: async () => {
      await runCommand(["ip", "link", "delete", link], { check: false });
    },
  };
}

function makeSocket(router: Namespaces, lab: number, network: number): Socket {
  const gateway = routerAddresses(lab, network);
  const link = `to${network}`;
  const enter = ["nsenter", "--target", String(router.pid), "--net", "--"];
  return {
    addresses: farAddresses(lab, network),
    gateway,
    plug: async (pid) => {
      // The kernel removes the links of a network namespace only some time after its last process.
      await runCommand([...enter, "ip", "link", "delete", link], { check: false });
      await runBatch("outside", [`link add ${link} netns ${router.pid} type veth peer eth0 netns ${pid}`]);
      await runBatch(router, attach(link, gateway));
    },
    askAgain: async () => {
      await runCommand([...enter, "ip", "neighbour", "flush", "dev", link]);
    },
  };
}

/**
 * The kernel gives a link's name only once, so two labs can never get the same number. The index differs from that of
 * the other end: with equal indexes the kernel takes the link for one that is not virtual (linkwatch_urgent_event in
 * net/core/link_watch.c), and waits up to a second before it lets IPv6 use it.
 */
async function claimLabNumber(routerPid: number): Promise<number> {
  const taken = new Set(linkNames());
  for (let lab = 1; lab < 255; lab++) {
    if (taken.has(`kg${lab}`)) continue;
    const argv = `ip link add kg${lab} index ${firstIndex + lab} type veth peer to0 netns ${routerPid}`.split(
      " ",
    );
    const { code, stderr } = await runCommand(argv, { check: false });
    if (code === 0) return lab;
    if (!stderr.includes("File exists")) throw new Error(`lab: ${argv.join(" ")} failed: ${stderr.trim()}`);
  }
  throw new Error("lab: all of the 254 numbers for labs are taken in this network namespace");
}

function linkNames(): string[] {
  const lines = readFileSync("/proc/self/net/dev", "utf8").split("\n").slice(2);
  return lines.filter((line) => line.includes(":")).map((line) => line.slice(0, line.indexOf(":")).trim());
}

function routerAddresses(lab: number, network: number): Addresses {
  return { ipv4: `10.${lab}.${network}.1`, ipv6: `${prefix(lab, network)}::1` };
}

function farAddresses(lab: number, network: number): Addresses {
  return { ipv4: `10.${lab}.${network}.2`, ipv6: `${prefix(lab, network)}::2` };
}

/** Zeros before "::" are left out (RFC 5952). */
function prefix(lab: number, network: number): string {
  return network === 0 ? `fd77:${lab}` : `fd77:${lab}:${network}`;
}

/** nodad: an IPv6 address works at once, without a second of asking whether another machine has it. */
function attach(link: string, { ipv4, ipv6 }: Addresses): string[] {
  return [`addr add ${ipv4}/24 dev ${link}`, `addr add ${ipv6}/64 dev ${link} nodad`, `link set ${link} up`];
}

function route(ipv4Target: string, ipv6Target: string, via: Addresses): string[] {
  return [`route add ${ipv4Target} via ${via.ipv4}`, `route add ${ipv6Target} via ${via.ipv6}`];
}

async function runBatch(where: Namespaces | "outside", lines: readonly string[]): Promise<void> {
  const enter = where === "outside" ? [] : ["nsenter", "--target", String(where.pid), "--net", "--"];
  try {
    await runCommand([...enter, "ip", "-batch", "-"], { stdin: `${lines.join("\n")}\n` });
  } catch (cause) {
    const name = where === "outside" ? where : where.name;
    throw new Error(`lab: giving ${name} its links failed: ${String(cause)}`, { cause });
  }
}
