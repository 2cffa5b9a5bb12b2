import type { Finding } from "../policy/finding.js";
import { describeUnknown } from "../policy/unknown-field.js";
import { readHostKey } from "../transport/host-key.js";
import { findHostFault } from "../transport/host-word.js";
import { findKeyFault } from "../transport/private-key.js";
import { argumentNames } from "./arguments.js";
import { isRecord } from "./given.js";
import type { Properties } from "./properties.js";
import { stateNames } from "./state.js";
import { unknownValue } from "./unknown.js";

/**
 * Finds what a change is not begun with, and what can be seen without asking a host: arguments that are not known, keys
 * that are none, hosts with more in them than a host. A state that has it can still be read and removed. What is not
 * known yet is left alone.
 */
export function checkInputs(news: Properties): readonly Finding[] {
  return [
    // A component gives more than a program does, and `ignoreChanges` gives back what a state has.
    ...findUnknownArguments(news, stateNames, argumentNames),
    ...["connection", "proveFrom"].flatMap((field) => {
      const login = news[field];
      return [
        ...checkLogin(login, field),
        ...(isRecord(login) ? checkLogin(login["proxy"], `${field}.proxy`) : []),
      ];
    }),
  ];
}

/**
 * Finds arguments of a resource that it does not have: those of the component that made it come by their names in
 * `unknownArguments`.
 *
 * @param names of all that it has
 * @param offered those that a program gives
 */
export function findUnknownArguments(
  news: Properties,
  names: readonly string[],
  offered: readonly string[] = names,
): readonly Finding[] {
  const { unknownArguments = [], ...given } = news;
  const ofComponent = Array.isArray(unknownArguments) ? unknownArguments.map(String) : [];
  // What begins with two underscores is Pulumi's own.
  const own = Object.keys(given).filter((name) => !names.includes(name) && !name.startsWith("__"));
  const unknown = [...ofComponent, ...own];
  if (unknown.length === 0) return [];
  return [{ path: "resource", rule: "arguments-shape", ...describeUnknown(unknown, offered, argumentWords) }];
}

/** What the unknown ones are called. */
export const argumentWords = ["an argument", "arguments"] as const;

function checkLogin(login: unknown, field: string): readonly Finding[] {
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
      const fix = "Give the line that `ssh-keyscan` prints and you have checked.";
      found.push({ path: `${field}.hostKey`, rule, message: `${reading.why}.`, fix });
    }
  }
  if (isKnownText(privateKey)) {
    const why = findKeyFault(privateKey, privateKeyPassword !== undefined);
    if (why !== undefined) {
      const fix = why.includes("password is not set")
        ? `Set ${field}.privateKeyPassword.`
        : "Give the text of the key's file, line by line as it is there.";
      found.push({ path: `${field}.privateKey`, rule, message: `can't be read: ${why}.`, fix });
    }
  }
  return found;
}

function isKnownText(value: unknown): value is string {
  return typeof value === "string" && value !== unknownValue;
}
