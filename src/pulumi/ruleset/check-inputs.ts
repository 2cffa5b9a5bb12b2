import { crossCheckConnection } from "../../change/cross-check-connection.js";
import type { Finding } from "../../policy/finding.js";
import { describeUnknown } from "../../policy/unknown-field.js";
import { findHostFault } from "../../ssh/host-word.js";
import { readHostKey } from "../../ssh/keys/host-key.js";
import { findKeyFault } from "../../ssh/keys/private-key.js";
import { isRecord } from "../given.js";
import type { Properties } from "../properties.js";
import { unknownValue } from "../unknown.js";
import { argumentNames } from "./parse-inputs.js";
import { stateNames } from "./state.js";

/**
 * Finds faults that stop a change before it begins, and that can be found without a host: arguments that do not exist,
 * keys that can't be read, host fields that hold more than a host, a policy that does not fit the connection. A state with such a fault can still be read and
 * removed. Values that are not known yet are skipped.
 */
export function checkInputs(news: Properties): readonly Finding[] {
  return [
    // A component sets more properties than a program does.
    ...findUnknownArguments(news, stateNames, argumentNames),
    ...["connection", "proveFrom"].flatMap((field) => {
      const login = news[field];
      if (!isRecord(login)) return [];
      const { transport, proxy } = login;
      return [...checkLogin(login, field, transport), ...checkLogin(proxy, `${field}.proxy`, transport)];
    }),
    ...crossCheckConnection(news["policy"], news["connection"]),
  ];
}

/**
 * Finds arguments that a resource does not have. The component that made the resource passes the names of its own
 * unknown arguments in `unknownArguments`.
 *
 * @param names all properties of the resource
 * @param offered the arguments that a program can give. Default: `names`
 */
export function findUnknownArguments(
  news: Properties,
  names: readonly string[],
  offered: readonly string[] = names,
): readonly Finding[] {
  const { unknownArguments = [], ...given } = news;
  const ofComponent = Array.isArray(unknownArguments) ? unknownArguments.map(String) : [];
  // Names that begin with two underscores are Pulumi's own.
  const own = Object.keys(given).filter((name) => !names.includes(name) && !name.startsWith("__"));
  const unknown = [...ofComponent, ...own];
  if (unknown.length === 0) return [];
  return [{ path: "resource", rule: "arguments-shape", ...describeUnknown(unknown, offered, argumentWords) }];
}

/** What messages call unknown arguments: one, and several. */
export const argumentWords = ["an argument", "arguments"] as const;

/** @param transport what dials it */
function checkLogin(login: unknown, field: string, transport: unknown): readonly Finding[] {
  if (!isRecord(login)) return [];
  const { host, hostKey, ignoreHostKey, privateKey, privateKeyPassword } = login;
  const rule = "arguments-shape";
  const found: Finding[] = [];
  if (isKnownText(host)) {
    const fault = findHostFault(host, field);
    if (fault !== undefined) found.push({ path: `${field}.host`, rule, ...fault });
  }
  if (isKnownText(hostKey) && ignoreHostKey !== true) {
    const reading = readHostKey(hostKey);
    if ("why" in reading) {
      const fix = "Give the line that `ssh-keyscan` prints, after you have checked it.";
      found.push({ path: `${field}.hostKey`, rule, message: `${reading.why}.`, fix });
    }
  }
  if (isKnownText(privateKey)) {
    const why = findKeyFault(
      privateKey,
      privateKeyPassword !== undefined,
      transport === "openssh" ? transport : "ssh2",
    );
    if (why !== undefined) {
      const fix = why.includes("password is not set")
        ? `Set ${field}.privateKeyPassword.`
        : "Give the text of the key's file, with its line breaks.";
      found.push({ path: `${field}.privateKey`, rule, message: `can't be read: ${why}.`, fix });
    }
  }
  return found;
}

function isKnownText(value: unknown): value is string {
  return typeof value === "string" && value !== unknownValue;
}
