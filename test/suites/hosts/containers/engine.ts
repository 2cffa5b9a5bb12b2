import type { BootedHost } from "../../../../lab/booted-host";
import type { Policy } from "../../../../src/policy/policy";

/** Two ports of the host, both of which lead to the engine's page. The first one is gated. */
export const gatedPort = 8_080;
export const freePort = 8_081;

export const page = "a page of the container\n";

/** What is done to an engine on a host with a gate. */
interface EngineAct {
  readonly id: string;
  /** As docs/hosts.md names it. */
  readonly act: string;
  play(host: BootedHost): Promise<unknown>;
}

/** A container engine, or what else leads packets of a host to machines behind it. */
export interface Engine {
  /** Begins the ids of its rows. */
  readonly id: string;
  /** As docs/hosts.md names it, with its settings. */
  readonly on: string;
  /** As docs/hosts.md names it in an act. */
  readonly name: string;
  readonly backends: readonly Policy["backend"][];
  /** Where its published ports are gated. */
  readonly scope: Policy["scope"];
  /** Over which its published ports can be reached. */
  readonly families: readonly ("ipv4" | "ipv6")[];
  /** Puts its settings on a host. Nothing of it runs yet. */
  prepare(host: BootedHost): Promise<unknown>;
  /** Enables and starts it, with a container that serves the page on both ports. */
  start(host: BootedHost): Promise<unknown>;
  /** Disables and ends it, without its container. */
  stop(host: BootedHost): Promise<unknown>;
  readonly acts: readonly EngineAct[];
  /** What a server elsewhere answers to a machine behind the host. */
  askFromInside(host: BootedHost, address: string, port: number): Promise<string>;
  /** Prints its version. */
  readonly version: readonly string[];
  /** What drift says after some of its acts, for a backend. Others leave none. */
  readonly drift?: (backend: Policy["backend"], act: string) => readonly string[];
}

/** Runs a script as root on a host. */
export async function runScript(host: BootedHost, script: string): Promise<string> {
  return (await host.run(["sh", "-eu", "-s"], { stdin: script, timeoutMs: 120_000 })).stdout;
}

/** Writes a file on a host, with its folders. */
export function writeFile(host: BootedHost, path: string, text: string): Promise<unknown> {
  return host.run(["sh", "-c", 'mkdir -p "$(dirname "$1")" && cat >"$1"', "sh", path], { stdin: text });
}

/** Makes the files of an image with a web server and its page. `tar -C /srv/image -c .` is what engines import. */
export function makeImage(host: BootedHost): Promise<string> {
  return runScript(
    host,
    `mkdir -p /srv/image/bin /srv/image/www /srv/image/tmp
cp /bin/busybox /srv/image/bin/busybox
ln -sf busybox /srv/image/bin/sh
printf '${page.trim()}\\n' >/srv/image/www/index.html
`,
  );
}

export const publish = `--publish ${gatedPort}:80 --publish ${freePort}:80`;
/** The container's command. The kernel ends a first process by SIGTERM only if it asks for that. */
export const serve = "/bin/sh -c 'trap exit TERM; /bin/busybox httpd -f -p 80 -h /www & wait'";

/** A command of sh that asks a web server for its page. */
export function askBy(address: string, port: number): string {
  return `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | /bin/busybox nc -w 10 ${address} ${port}`;
}
