import type { Profile } from "../client/profile.js";
import type { Login } from "../client/way.js";
import { KnockgateError } from "../errors.js";
import { parseJson } from "./parse-json.js";
import { isProfileName, readGates, readProfile } from "./profile.js";

/**
 * Reads profiles from the output of `pulumi stack output --show-secrets --json`. It finds them at any depth, in two
 * forms: a profile, as a gate's output `profile` and `knockgate profile export` have it, and `knock` and `sshConfig`
 * side by side. A profile has the name that its ssh_config block has for the host. One that is there in both forms is
 * read once.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID`, without a value
 */
export function readStackOutput(text: string): readonly Profile[] {
  const objects = [...listObjects(parseJson("the outputs", text))];
  const profiles = objects.filter(isProfile).map((it) => readProfile(it.name, it, `profile ${it.name}`));
  const names = new Set(profiles.map(({ name }) => name));
  const older = objects.flatMap(readGated).filter(({ name }) => !names.has(name));
  const found = [...profiles, ...older];
  if (found.length > 0) return found;
  throw new KnockgateError(
    "ARGUMENTS_INVALID",
    objects.some((it) => Object.values(it).includes(mask))
      ? "the outputs are masked: add --show-secrets"
      : "no output is a gate's `profile`: export it (`export const { profile } = gate`, or `{ profiles }` of a fleet)",
  );
}

/** What Pulumi's CLI prints in place of a secret. */
const mask = "[secret]";

type Properties = Readonly<Record<string, unknown>>;

/** Lists the value and all objects in it, but none inside a profile. */
function* listObjects(value: unknown): Generator<Properties> {
  if (typeof value !== "object" || value === null) return;
  yield { ...value };
  if (isProfile({ ...value })) return;
  for (const part of Object.values(value)) yield* listObjects(part);
}

function isProfile(value: Properties): value is Properties & { readonly name: string } {
  const { name, way, gates } = value;
  return way !== undefined && gates !== undefined && typeof name === "string" && isProfileName(name);
}

function readGated({ knock, sshConfig }: Properties): readonly Profile[] {
  if (knock === undefined || knock === mask || typeof sshConfig !== "string" || sshConfig === mask) return [];
  const block = readSshConfig(sshConfig);
  return [{ ...block, gates: readGates(knock, `knock of ${block.name}`) }];
}

/** Reads only the form that src/client/ssh-config.ts writes. */
function readSshConfig(block: string): Pick<Profile, "name" | "way"> {
  const name = /^Host (\S+)$/m.exec(block)?.[1] ?? "";
  const host = /^ {2}HostName (\S+)$/m.exec(block)?.[1];
  const user = /^ {2}User (\S+)$/m.exec(block)?.[1];
  const port = Number(/^ {2}Port (\d+)$/m.exec(block)?.[1]);
  if (!isProfileName(name) || host === undefined || user === undefined || !Number.isInteger(port)) {
    throw new KnockgateError(
      "ARGUMENTS_INVALID",
      "an `sshConfig` has no host, user or port that can be read: is it the output of one gate?",
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
