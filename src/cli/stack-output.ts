import type { Login } from "../client/way.js";
import { KnockgateError } from "../errors.js";
import { isProfileName, type Profile, readGates, readProfile } from "./profile.js";

/**
 * Reads profiles from what `pulumi stack output --show-secrets --json` prints: wherever an output, or an object in one,
 * has `knock` and `sshConfig` as a gate has them. Each is called as its block of ssh_config calls the host. What
 * `knockgate profile export` prints is read as well.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID`, without a value
 */
export function readStackOutput(text: string): readonly Profile[] {
  const outputs = parse(text);
  const exported = readExported(outputs);
  if (exported !== undefined) return [exported];
  const profiles = findGated(outputs).map(({ knock, sshConfig }) => {
    const block = readSshConfig(sshConfig);
    return { ...block, gates: readGates(knock, `knock of ${block.name}`) };
  });
  if (profiles.length > 0) return profiles;
  throw new KnockgateError(
    "ARGUMENTS_INVALID",
    "no output has both `knock` and `sshConfig`: export the two of a gate (`export const { knock, sshConfig } = gate`), " +
      "or for several hosts an object that has both for each",
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Node's own message quotes the text.
    const how = "`pulumi stack output --show-secrets --json`";
    throw new KnockgateError("ARGUMENTS_INVALID", `standard input: it is no JSON; ${how} prints it`);
  }
}

function readExported(value: unknown): Profile | undefined {
  const { name, way, gates } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (way === undefined || gates === undefined || typeof name !== "string" || !isProfileName(name)) return;
  return readProfile(name, value, `profile ${name}`);
}

function findGated(value: unknown): readonly { readonly knock: unknown; readonly sshConfig: string }[] {
  if (typeof value !== "object" || value === null) return [];
  const { knock, sshConfig } = value as Readonly<Record<string, unknown>>;
  if (knock === undefined || typeof sshConfig !== "string") return Object.values(value).flatMap(findGated);
  if (knock === "[secret]" || sshConfig === "[secret]") {
    throw new KnockgateError("ARGUMENTS_INVALID", "the outputs are masked: add --show-secrets");
  }
  return [{ knock, sshConfig }];
}

/** The block is written by src/client/ssh-config.ts; only what is there as it writes it is read. */
function readSshConfig(block: string): Pick<Profile, "name" | "way"> {
  const name = /^Host (\S+)$/m.exec(block)?.[1] ?? "";
  const host = /^ {2}HostName (\S+)$/m.exec(block)?.[1];
  const user = /^ {2}User (\S+)$/m.exec(block)?.[1];
  const port = Number(/^ {2}Port (\d+)$/m.exec(block)?.[1]);
  if (!isProfileName(name) || host === undefined || user === undefined || !Number.isInteger(port)) {
    throw new KnockgateError(
      "ARGUMENTS_INVALID",
      "an `sshConfig` has no host, user or port that could be read: is it one host's, as a gate has it?",
    );
  }
  const proxy = readBastion(block);
  const login = {
    host: unescapePercents(host),
    port,
    user,
    ...readHostKey(/^ {2}KnownHostsCommand (.*)$/m, block),
  };
  return { name, way: { ...login, ...(proxy === undefined ? {} : { proxy }) } };
}

function readBastion(block: string): Login | undefined {
  if (!block.includes(' -W "[$h]:$2" ')) return undefined;
  const found = /exec ssh -l (\S+) -p (\d+)((?: -o "[^"]*")*) -W "\[\$h\]:\$2" ([^\s']+)'/.exec(block);
  const [, user, port, options = "", host] = found ?? [];
  if (user === undefined || host === undefined) {
    throw new KnockgateError(
      "ARGUMENTS_INVALID",
      "an `sshConfig` names a bastion in a form that is not known",
    );
  }
  const key = readHostKey(/"KnownHostsCommand=([^"]*)"/, options);
  return { host: unescapePercents(host), port: Number(port), user, ...key };
}

function readHostKey(pattern: RegExp, text: string): { readonly hostKey?: string } {
  const command = pattern.exec(text)?.[1];
  const hostKey = /^\/bin\/echo %+H (\S+ \S+)$/.exec(command ?? "")?.[1];
  return hostKey === undefined ? {} : { hostKey };
}

function unescapePercents(text: string): string {
  return text.replaceAll("%%", "%");
}
