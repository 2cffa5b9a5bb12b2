import { KnockgateError, unreachable } from "../../errors.js";
import { quoteWord } from "../../ssh/quote-shell.js";
import { writeBashKnock } from "./bash-knock.js";
import { type ClientKnock, readClientKnock } from "./client-knock.js";
import { findAskedPort } from "./knock-commands.js";
import type { Profile, ProfileGate } from "./profile.js";
import { writeShKnock } from "./sh-knock.js";
import { isHostWord } from "./ssh-endpoint.js";
import { writeTokenClient } from "./token-client.js";

/** What a profile can be exported as, so that it works without Knockgate. */
export const exportForms = ["sh", "wg-quick"] as const;

type ExportForm = (typeof exportForms)[number];

/**
 * Writes a program that opens a gate, with everything in it. Secret: whoever has it can open the gate.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID` when there can't be such a program
 */
export function writeExport(form: ExportForm, { name, way }: Profile, gate: ProfileGate): string {
  if (way.proxy !== undefined)
    refuse(name, "its host is behind a bastion, so only Knockgate can open the gate");
  if (!isHostWord(way.host)) refuse(name, "its host can't be a word of a shell");
  switch (form) {
    case "sh":
      return writeScript(name, way.host, gate);
    case "wg-quick":
      return writePreUp(name, way.host, gate);
    default:
      return unreachable(form);
  }
}

/** A script without arguments, for any POSIX sh. */
function writeScript(name: string, host: string, gate: ProfileGate): string {
  const program = writeProgram("sh", readClientKnock(gate), host, findAskedPort(gate));
  if (program === undefined)
    return refuse(name, "its knock has a UDP step without payload, which a shell can't send");
  return [
    "#!/bin/sh",
    `# Opens gate ${gate.gate} of ${name}. Secret: whoever can read this file can open the gate.`,
    "umask 077",
    `set -- ${quoteWord(host)}`,
    program,
    // The code of the last tool says nothing about the gate.
    "true",
    "",
  ].join("\n");
}

/**
 * A line for the section Interface of a configuration of wg-quick(8). wg-quick evaluates it in its own bash, so no list
 * of processes shows it. It replaces `%i` and cuts off what comes after a `#`.
 */
function writePreUp(name: string, host: string, gate: ProfileGate): string {
  const program = writeProgram("bash", readClientKnock(gate), host, undefined);
  if (program === undefined)
    return refuse(name, "its knock has a UDP step without payload, which bash can't send");
  const line = `PreUp = ( set +e; set -- ${quoteWord(host)}; ${program}; true )`;
  if (/[#\n]|%i/.test(line))
    return refuse(name, "wg-quick can't read a line with its host or its gate's name");
  return `${line}\n`;
}

function writeProgram(
  shell: "bash" | "sh",
  knock: ClientKnock,
  host: string,
  port: number | undefined,
): string | undefined {
  switch (knock.kind) {
    case "sequence":
      return shell === "bash" ? writeBashKnock(knock.steps, host) : writeShKnock(knock.steps, host);
    case "tokens":
      return writeTokenClient(knock, host, port, shell);
    default:
      return unreachable(knock);
  }
}

function refuse(name: string, why: string): never {
  throw new KnockgateError("ARGUMENTS_INVALID", `profile ${name}: ${why}. Nothing was written.`);
}
