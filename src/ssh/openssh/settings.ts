import { execFile } from "node:child_process";
import { KnockgateError } from "../../errors.js";
import type { Login } from "../connection.js";
import { quoteSaid } from "../quote-said.js";
import { findSsh } from "./program.js";

/** What ssh_config(5) says of one host, as `ssh -G` prints it. */
export interface SshSettings {
  /** The name that ssh dials. */
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  readonly family: "any" | "inet" | "inet6";
  /** The machines of ProxyJump, the first one first. */
  readonly jumps: readonly string[];
  /** Whether a ProxyCommand of ssh_config leads there. */
  readonly hasProxyCommand: boolean;
  /** Whether an unknown host key would be asked about on a terminal. */
  readonly asksForKeys: boolean;
}

const limitMs = 30_000;

/**
 * Asks ssh(1) what it would use for a login. Sends nothing to the host.
 *
 * @param field the login's name in the arguments, for messages
 * @throws KnockgateError `ARGUMENTS_INVALID`, `HOST_UNFIT`
 */
export async function readSettings(
  { host, port, user }: Pick<Login, "host" | "port" | "user">,
  field: string,
): Promise<SshSettings> {
  await findSsh();
  const given = [
    ...(port === undefined ? [] : ["-p", `${port}`]),
    ...(user === undefined ? [] : ["-l", user]),
  ];
  const printed = await new Promise<string>((resolve, reject) => {
    const options = { timeout: limitMs, env: { ...process.env, LC_ALL: "C" } };
    execFile("ssh", ["-G", ...given, "--", host], options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const message = `${field}: ssh can't use its configuration for ${host}${quoteSaid(stderr)}. Nothing was sent.`;
      reject(new KnockgateError("ARGUMENTS_INVALID", message));
    });
  });
  return parseSettings(printed, field);
}

/** Reads the output of `ssh -G`. */
export function parseSettings(printed: string, field: string): SshSettings {
  const values = new Map<string, string>();
  for (const line of printed.split("\n")) {
    const [, name, value] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined && !values.has(name)) values.set(name, value);
  }
  const read = (name: string): string => values.get(name) ?? "";
  for (const name of ["bindaddress", "bindinterface"]) {
    if (!isSet(read(name))) continue;
    throw new KnockgateError(
      "ARGUMENTS_INVALID",
      `${field}: ssh_config(5) has ${name} for it, and a knock can't leave from there: a door opens for one source ` +
        "address. Leave that setting out for this host. Nothing was sent.",
    );
  }
  const family = read("addressfamily");
  const jumps = read("proxyjump");
  return {
    hostName: read("hostname"),
    port: Number(read("port")),
    user: read("user"),
    family: family === "inet" || family === "inet6" ? family : "any",
    jumps: isSet(jumps) ? jumps.split(",") : [],
    hasProxyCommand: isSet(read("proxycommand")),
    asksForKeys: read("stricthostkeychecking") === "ask",
  };
}

function isSet(value: string): boolean {
  return value !== "" && value !== "none";
}
