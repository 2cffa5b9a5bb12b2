import { digestKeyed } from "../../policy/digest.js";
import { type Connection, connectionSchema } from "../../ssh/connection.js";
import { fingerprintKey } from "../../ssh/keys/host-key.js";
import type { Properties } from "../properties.js";
import { fieldSecrecy } from "../secrecy.js";
import { hasUnknown, unknownValue } from "../unknown.js";

type LoginField = keyof Connection;

const fields = Object.keys(connectionSchema.shape) as LoginField[];
/** Login fields with a description of their own. */
const described: readonly LoginField[] = ["hostKey", "ignoreHostKey", "proxy"];
/** Login fields shown as labels. A label changes with its value. */
const labelled = fields.filter((name) => fieldSecrecy[name] === "secret");
/** Login fields shown as they are. The log names host and port anyway, and none of these fields lets anybody in. */
const shown = fields.filter((name) => !labelled.includes(name) && !described.includes(name));

/**
 * Describes how a host is reached, without a secret, so that a preview shows what changed: addresses, users,
 * fingerprints of host keys, and a label in place of each secret. The labels' key is secret and random: without it,
 * nobody can try passwords against a label.
 */
export function describeReach(
  { connection, proveFrom, behind, hopProfiles }: Properties,
  key: string,
): Readonly<Record<string, unknown>> {
  const login = describeLogin(connection, key);
  return {
    ...(typeof login === "string" ? { host: login } : login),
    ...(proveFrom === undefined ? {} : { proveFrom: describeLogin(proveFrom, key) }),
    ...(behind === undefined ? {} : { behind: labelSecret("behind", behind, key) }),
    ...(hopProfiles === undefined ? {} : { hopProfiles: labelSecret("hopProfiles", hopProfiles, key) }),
  };
}

/** @param transport what dials a bastion: the transport of its connection */
function describeLogin(raw: unknown, key: string, transport?: unknown): object | string {
  if (typeof raw !== "object" || raw === null) return unknownValue;
  const given = raw as Properties;
  const login: Properties = { ...listDefaults(given["transport"] ?? transport), ...given };
  const seen = [...shown, ...labelled].flatMap((name) => {
    const value = login[name];
    if (value === undefined) return [];
    return [[name, shown.includes(name) ? value : labelSecret(name, value, key)]];
  });
  const { proxy } = given;
  return {
    ...Object.fromEntries(seen),
    hostKey: describeHostKey(given, key),
    ...(proxy === undefined ? {} : { proxy: describeLogin(proxy, key, given["transport"] ?? transport) }),
  };
}

/** With `openssh`, ssh_config says what is not given. */
function listDefaults(transport: unknown): Properties {
  const { dialErrorLimit, perDialTimeout } = connectionSchema.parse({ host: "any" });
  return { ...(transport === "openssh" ? {} : { port: 22, user: "root" }), dialErrorLimit, perDialTimeout };
}

function describeHostKey({ hostKey, ignoreHostKey }: Properties, key: string): unknown {
  if (ignoreHostKey === true) return "any";
  if (hostKey === undefined) return "as in known_hosts";
  if (hostKey === unknownValue) return hostKey;
  const [, blob] = /^\s*[a-z][\w@.-]* ([A-Za-z0-9+/]{40,}={0,2})(?:\s|$)/.exec(`${hostKey}`) ?? [];
  // Anything but a public key may be a secret in the wrong field.
  return blob === undefined
    ? labelSecret("hostKey", hostKey, key)
    : fingerprintKey(Buffer.from(blob, "base64"));
}

function labelSecret(name: string, value: unknown, key: string): string {
  if (hasUnknown(value)) return unknownValue;
  return `<${name}:${digestKeyed(key, JSON.stringify([name, value]), 6)}>`;
}
