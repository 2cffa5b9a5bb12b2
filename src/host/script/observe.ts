import { isIP } from "node:net";
import type { LoadedTable } from "../../backends/backend.js";
import { backendOf, nameOnHost, readCounts } from "../../backends/backends.js";
import { arrangeLike } from "../../backends/listing.js";
import { KnockgateError } from "../../errors.js";
import type { Counts } from "../../policy/counts.js";
import type { Policy } from "../../policy/policy.js";
import { listTokenGates } from "../../policy/user.js";
import type { HostConnection, Route } from "../../ssh/host.js";
import type { Observed } from "../observed.js";
import type { LoggedOpenings } from "../tokens.js";
import { commandProgram, parseReply, probeProgram, type Reply } from "./program.js";
import { readOpenings } from "./read-openings.js";
import { readClock, readTokens } from "./read-tokens.js";

const probeTimeoutMs = 30_000;
const askTimeoutMs = 4_000;

/**
 * Observes a host and one policy on it. Changes nothing there.
 *
 * @throws KnockgateError `HOST_FAILED` when the answer can't be read
 */
export async function observeHost(connection: HostConnection, policy: Policy): Promise<Observed> {
  const hasTokens = listTokenGates(policy).length > 0;
  const result = await connection.run(
    probeProgram(policy.name, nameOnHost(policy), hasTokens),
    probeTimeoutMs,
  );
  const reply = parseReply(result.stdout);
  if (result.code !== 0 || reply.values.get("end") !== "probe") {
    throw new KnockgateError(
      "HOST_FAILED",
      `the host could not be observed (exit code ${result.code}): ${result.stderr.trim() || "its answer has another form"}`,
    );
  }
  const ruleset = reply.sections.get("ruleset");
  const loaded = readLoaded(reply, policy);
  const baseline = reply.sections.get("baseline") ?? "";
  const json = reply.values.get("json");
  const keptBy = reply.values.get("kept_by");
  const lister = reply.values.get(policy.backend === "nftables" ? "nft" : "iptables");
  const pendingId = reply.values.get("pending");
  const clock = readClock(reply);
  const tokens = readTokens(reply);
  const undone = /^why=(.*)$/m.exec(reply.sections.get("undone") ?? "")?.[1];
  return {
    // sshd always sets SSH_CONNECTION. Anything but an address stays out of a ruleset.
    clientAddress: readAddress(reply.values.get("client")) ?? "127.0.0.1",
    addresses: reply.list("address").flatMap((said) => readAddress(said) ?? []),
    backend: policy.backend,
    ...(lister === undefined ? {} : { lister }),
    nftVersion: /^nftables v(\S+)/.exec(reply.values.get("nft") ?? "")?.[1] ?? "",
    ...(json === "missing" || json === "fails" ? { nftJson: json } : {}),
    ...(reply.values.get("listing") === "crashes" ? { isUnlisted: true } : {}),
    iptablesVersion: reply.values.get("iptables") ?? "",
    kernelRelease: reply.values.get("kernel") ?? "",
    missing: reply.list("missing"),
    tables: reply.sections.get("tables") ?? "",
    unlisted: reply.list("unlisted"),
    sockets: reply.sections.get("sockets") ?? "",
    init: readInit(reply.values.get("init")),
    unwritable: reply.list("unwritable"),
    isMissingAtBoot: reply.values.get("boot") === "missing",
    preceding: reply.sections.get("preceding") ?? "",
    xtables: reply.sections.get("xtables") ?? "",
    flushers: [...new Set(reply.list("flusher"))],
    savedIn: reply.list("saved"),
    readable: reply.list("readable"),
    isKernelLogPublic: reply.values.get("dmesg_restrict") === "0",
    sudoLogs: (["input", "output"] as const).filter((what) => reply.list("sudo_logs").includes(what)),
    doors: reply.sections.get("doors") ?? "",
    untracked: reply.sections.get("untracked") ?? "",
    synCookies: reply.values.get("syncookies") ?? "",
    ...(clock === undefined ? {} : { clock }),
    ...(reply.values.get("tokens") === "no" ? { refusesTokens: true as const } : {}),
    ...(tokens === undefined ? {} : { tokens }),
    ...(reply.values.get("fill") === "missing" ? { isFillMissing: true as const } : {}),
    ...(ruleset === undefined
      ? {}
      : {
          confirmed: {
            owner: reply.values.get("owner") ?? "",
            ...(keptBy === undefined ? {} : { keptBy }),
            text: ruleset,
            listing:
              loaded === undefined
                ? baseline
                : arrangeLike(baseline, loaded.listing, backendOf(policy).splitListing),
          },
        }),
    ...(loaded === undefined ? {} : { loaded }),
    ...(undone === undefined ? {} : { undone }),
    ...(pendingId === undefined ? {} : { pendingId }),
  };
}

/** Reads the packets that the host's kernel has counted for each gate; `undefined` when they can't be read. */
export async function countPackets(connection: HostConnection, policy: Policy): Promise<Counts | undefined> {
  const program = commandProgram(["count", policy.name, nameOnHost(policy)]);
  const { stdout } = await connection.run(program, probeTimeoutMs);
  return readCounts(parseReply(stdout).sections.get("counts") ?? "", policy);
}

/**
 * Reads the lines that a policy's gates wrote to the kernel's log since boot; empty when there are none, or the policy
 * has no `log`. Secret: a line of `opened` shows the last step's port.
 *
 * @throws KnockgateError `HOST_FAILED` when the answer can't be read
 */
export async function readKernelLog(connection: HostConnection, policy: Policy): Promise<string> {
  if (policy.log === undefined) return "";
  const result = await connection.run(
    commandProgram(["log", policy.name, policy.log.prefix]),
    probeTimeoutMs,
  );
  const reply = parseReply(result.stdout);
  if (result.code === 0 && reply.values.get("end") === "log") return reply.sections.get("log") ?? "";
  throw new KnockgateError(
    "HOST_FAILED",
    `the host's kernel log could not be read (exit code ${result.code})`,
  );
}

/**
 * Asks a host for the last opening of each user in its log. `undefined`: the policy does not log them. A log that can't
 * be read is not a failure, because the host's counters say much of it, too.
 */
export async function askOpenings(
  connection: HostConnection,
  policy: Policy,
): Promise<LoggedOpenings | undefined> {
  const program = commandProgram(["openings", policy.name]);
  const result = await connection.run(program, probeTimeoutMs).catch(() => undefined);
  const reply = parseReply(result?.stdout ?? "");
  return reply.values.get("end") === "openings" ? readOpenings(reply) : { log: "none", openings: [] };
}

/**
 * Asks a host for the source address of our connection, without a knock; `undefined` when no connection comes through.
 */
export async function askClientAddress(route: Route): Promise<string | undefined> {
  try {
    const connection = await route.connect(askTimeoutMs);
    try {
      const { stdout } = await connection.run({ commands: 'echo "client=$1"\n' }, askTimeoutMs);
      const [client] = (parseReply(stdout).values.get("client") ?? "").split(" ");
      return readAddress(client);
    } finally {
      connection.close();
    }
  } catch {
    return undefined;
  }
}

/**
 * Removes the zone, which names an interface of the host: its firewall sees only the address. `undefined` for anything
 * but an address.
 */
function readAddress(said = ""): string | undefined {
  const address = said.replace(/%.*$/, "");
  return isIP(address) === 0 ? undefined : address;
}

function readInit(said: string | undefined): Observed["init"] {
  return said === "systemd" || said === "openrc" ? said : "other";
}

function readLoaded(reply: Reply, policy: Policy): LoadedTable | undefined {
  const listing = reply.sections.get("listing");
  if (listing === undefined) return undefined;
  return backendOf(policy).readLoaded(
    policy.name,
    listing,
    reply.sections.get("own") ?? reply.sections.get("tables") ?? "",
  );
}
