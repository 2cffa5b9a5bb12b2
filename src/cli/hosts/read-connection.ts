import { stat } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import type { ChangeTarget } from "../../change/open-routes.js";
import { KnockgateError } from "../../errors.js";
import type { Profile } from "../../knock/clients/profile.js";
import type { SshLogin } from "../../knock/clients/ssh-endpoint.js";
import { type Finding, formatFindings } from "../../policy/finding.js";
import { describeIssues } from "../../policy/shape.js";
import { type Connection, type ConnectionInput, connectionSchema } from "../../ssh/connection.js";
import { findHome } from "../../ssh/home.js";
import { findHostFault } from "../../ssh/host-word.js";
import { fillWhatIsKnown, resolveConnection } from "../../ssh/resolve.js";
import { openText } from "../files/open-text.js";
import { readPolicyFile } from "../files/policy-file.js";
import { type CommandContext, type Invocation, UsageError } from "../framework/command.js";
import { canOthersRead } from "../profiles/others-read.js";
import { loadProfile } from "../profiles/profile-store.js";
import { askSecret } from "./ask-secret.js";
import { findHopKnocks } from "./hop-knocks.js";

/** How to reach a host, and what is known about its gates. Secret. */
export interface HostLogin {
  readonly connection: Connection;
  readonly sshPort: number;
  readonly profile: Profile | undefined;
  /** Opens machines on the way that are gated, where a profile of their name is known. */
  readonly openHop: ChangeTarget["openHop"];
}

/** Keys in ~/.ssh that ssh(1) tries by default and that can be read here. */
const usualKeys = ["id_ed25519", "id_ecdsa", "id_rsa"];

/**
 * Finds out how to reach the host that a command was called with.
 *
 * @param word HOST, if it was given
 * @throws UsageError, KnockgateError `ARGUMENTS_INVALID`
 */
export async function readHostLogin(
  word: string | undefined,
  invocation: Invocation,
  context: CommandContext,
): Promise<HostLogin> {
  const file = invocation.value("connection");
  if ((word === undefined) === (file === undefined)) throw new UsageError("give either HOST or --connection");
  const isOpenssh = invocation.has("openssh");
  const { input, profile } =
    file === undefined
      ? await readWord(word ?? "", isOpenssh, context)
      : { input: await readConnectionFile(file, context.input), profile: undefined };
  const key = await readKey(invocation, file === undefined && !isOpenssh, context);
  const secrets = await readSecrets(invocation, context);
  const { privateKeyPassword } = { ...secrets.known, ...input, ...secrets.asked };
  const ofKey = privateKeyPassword === undefined ? {} : { privateKeyPassword };
  const whole = {
    ...secrets.known,
    ...input,
    ...(isOpenssh ? { transport: "openssh" } : {}),
    ...secrets.asked,
    ...key,
    // The bastion gets the same key. Passwords are only for the host.
    ...(input.proxy === undefined ? {} : { proxy: { ...input.proxy, ...(key && { ...key, ...ofKey }) } }),
  };
  const connection = fillWhatIsKnown(check(whole, file ?? "HOST"));
  const resolved = await resolveConnection(connection, "HOST");
  const openHop = await findHopKnocks(resolved, context.environment);
  return { connection, sshPort: resolved.port, profile, openHop };
}

/** Reads HOST: the login of a profile, or of the word itself. */
async function readWord(word: string, isOpenssh: boolean, { environment }: CommandContext) {
  const { user, host, port } = splitHost(word);
  const profile = await loadProfile(environment, host);
  const way = profile?.way;
  const input: ConnectionInput = {
    // Where ssh(1) dials, ssh_config says what the word leaves out.
    ...(way === undefined || isOpenssh ? { host } : toInput(way)),
    ...(way?.hostKey === undefined ? {} : { hostKey: way.hostKey }),
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port }),
    ...(way?.proxy === undefined || isOpenssh ? {} : { proxy: toInput(way.proxy) }),
  };
  return { input, profile };
}

/**
 * Reads a connection from a file that nobody else may read, or for `-` from standard input.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID`, without a value
 */
export async function readConnectionFile(path: string, input: CommandContext["input"]): Promise<Connection> {
  const { value } = await readPolicyFile(path, input);
  if (path === "-" || !canOthersRead(await stat(path))) return check(value, path);
  const message = `${path}: other users can read it, and it may hold a key or a password. Run \`chmod 600\` on it.`;
  throw new KnockgateError("ARGUMENTS_INVALID", message);
}

function check(input: unknown, source: string): Connection {
  const reading = connectionSchema.safeParse(input);
  const shape = { schema: connectionSchema, rule: "connection-shape", whole: "connection" };
  const findings = [
    ...describeIssues(reading.error?.issues ?? [], shape),
    ...(reading.success ? findMisplaced(reading.data) : []),
  ];
  if (reading.success && findings.length === 0) return reading.data;
  throw new KnockgateError(
    "ARGUMENTS_INVALID",
    `${source}:${findings.length > 1 ? "\n" : " "}${formatFindings(findings)}`,
  );
}

function findMisplaced({ host, proxy }: Connection): readonly Finding[] {
  const found = [findHostFault(host, "connection"), proxy && findHostFault(proxy.host, "proxy")];
  return ["host", "proxy.host"].flatMap((path, index) => {
    const fault = found[index];
    return fault === undefined ? [] : [{ path, rule: "connection-shape", ...fault }];
  });
}

function toInput({ host, port, user, hostKey }: SshLogin): ConnectionInput {
  return { host, port, user, ...(hostKey === undefined ? {} : { hostKey }) };
}

interface HostWord {
  readonly user: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
}

/** Reads `[USER@]HOST[:PORT]`. With several colons and no brackets, all of it is an IPv6 address. */
function splitHost(word: string): HostWord {
  const [, user, rest = ""] = /^(?:([^@:]+)@)?([^@]+)$/.exec(word) ?? [];
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(rest) ?? [];
  const host = bracketed ?? plain ?? (isIPv6(rest) ? rest : undefined);
  if (host === undefined) throw new UsageError("HOST must have the form [USER@]HOST[:PORT]");
  return { user, host, port: port === undefined ? undefined : Number(port) };
}

/** @param isUsual whether to use ssh(1)'s default keys when no key is named and there is no agent */
async function readKey(invocation: Invocation, isUsual: boolean, { environment }: CommandContext) {
  const usual = isUsual && !environment["SSH_AUTH_SOCK"] ? await findUsualKey(environment) : undefined;
  const path = invocation.value("identity") ?? usual;
  return path === undefined ? undefined : { privateKey: await openText(path) };
}

async function findUsualKey({ HOME }: CommandContext["environment"]): Promise<string | undefined> {
  const home = HOME || findHome();
  if (home === undefined) return undefined;
  for (const name of usualKeys) {
    const path = join(home, ".ssh", name);
    if ((await stat(path).catch(() => undefined))?.isFile()) return path;
  }
  return undefined;
}

type Secrets = Partial<Pick<ConnectionInput, "password" | "privateKeyPassword" | "sudoPassword">>;

/** The connection's fields by the names that `--ask` has for them. */
const secretNames = {
  password: "password",
  "key-password": "privateKeyPassword",
  "sudo-password": "sudoPassword",
} as const;

/** A secret typed for `--ask` has priority over the file, and the file over the environment. */
async function readSecrets(invocation: Invocation, { environment }: CommandContext) {
  const [known, asked]: [Secrets, Secrets] = [{}, {}];
  for (const [name, field] of Object.entries(secretNames)) {
    const found = environment[`KNOCKGATE_${name.toUpperCase().replaceAll("-", "_")}`];
    if (found) known[field] = found;
    if (invocation.values("ask").includes(name)) asked[field] = await askSecret(name.replaceAll("-", " "));
  }
  return { known, asked };
}
