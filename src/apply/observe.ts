import { isIP } from "node:net";
import { z } from "zod";
import { KnockgateError } from "../errors.js";
import { type Counts, readCounts } from "../plan/counts.js";
import { parseJson } from "../plan/json.js";
import type { LoadedTable, Observed } from "../plan/observed.js";
import type { Policy } from "../policy/schema.js";
import { tableName } from "../render/nftables-names.js";
import type { HostConnection } from "../transport/host.js";
import { commandProgram, nameBackend, parseReply, probeProgram, type Reply } from "./program.js";

const probeTimeoutMs = 30_000;

const place = { family: z.string(), table: z.string(), name: z.string() };

const tablesSchema = z.object({
  nftables: z.array(
    z.object({
      set: z
        .object({
          ...place,
          type: z.unknown(),
          size: z.number().optional(),
          flags: z.array(z.string()).default([]),
        })
        .optional(),
      counter: z.object(place).optional(),
      chain: z.object({ ...place, hook: z.string().optional(), prio: z.number().optional() }).optional(),
    }),
  ),
});

type Entry = z.output<typeof tablesSchema>["nftables"][number];

/**
 * Looks at a host and at one policy on it, and changes nothing there.
 *
 * @throws KnockgateError `HOST_FAILED` when the answer makes no sense.
 */
export async function observeHost(connection: HostConnection, policy: Policy): Promise<Observed> {
  const result = await connection.run(probeProgram(policy.name, nameBackend(policy)), probeTimeoutMs);
  const reply = parseReply(result.stdout);
  if (result.code !== 0 || reply.values.get("end") !== "probe") {
    throw new KnockgateError(
      "HOST_FAILED",
      `the host could not be looked at (exit code ${result.code}): ${result.stderr.trim() || "it answered something else"}`,
    );
  }
  // A zone names one of the host's links; its firewall sees the address alone.
  const clientAddress = (reply.values.get("client") ?? "").replace(/%.*$/, "");
  const ruleset = reply.sections.get("ruleset");
  const tables = reply.sections.get("tables") ?? "";
  const loaded = readLoaded(reply, policy, tables);
  const pendingId = reply.values.get("pending");
  const undone = /^why=(.*)$/m.exec(reply.sections.get("undone") ?? "")?.[1];
  return {
    // sshd always says who is there; what is no address is not put into a ruleset.
    clientAddress: isIP(clientAddress) === 0 ? "127.0.0.1" : clientAddress,
    backend: policy.backend,
    nftVersion: /^nftables v(\S+)/.exec(reply.values.get("nft") ?? "")?.[1] ?? "",
    iptablesVersion: reply.values.get("iptables") ?? "",
    missing: reply.list("missing"),
    tables,
    sockets: reply.sections.get("sockets") ?? "",
    init: readInit(reply.values.get("init")),
    unwritable: reply.list("unwritable"),
    isMissingAtBoot: reply.values.get("boot") === "missing",
    front: reply.sections.get("front") ?? "",
    doors: reply.sections.get("doors") ?? "",
    untracked: reply.sections.get("untracked") ?? "",
    synCookies: reply.values.get("syncookies") ?? "",
    ...(ruleset === undefined
      ? {}
      : {
          confirmed: {
            owner: reply.values.get("owner") ?? "",
            text: ruleset,
            listing: reply.sections.get("baseline") ?? "",
          },
        }),
    ...(loaded === undefined ? {} : { loaded }),
    ...(undone === undefined ? {} : { undone }),
    ...(pendingId === undefined ? {} : { pendingId }),
  };
}

/** Asks the host's kernel what it has counted for each gate; `undefined` when it can't tell. */
export async function countPackets(connection: HostConnection, policy: Policy): Promise<Counts | undefined> {
  const program = commandProgram(["count", policy.name, nameBackend(policy)]);
  const { stdout } = await connection.run(program, probeTimeoutMs);
  return readCounts(parseReply(stdout).sections.get("counts") ?? "", policy);
}

/**
 * Asks a host for the lines that a policy's gates wrote to the kernel's log since it was booted; empty where there are
 * none, or the policy has no `log`. Secret: a line of `opened` has the last step's port.
 *
 * @throws KnockgateError `HOST_FAILED` when the answer makes no sense.
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

function readInit(said: string | undefined): Observed["init"] {
  return said === "systemd" || said === "openrc" ? said : "other";
}

function readLoaded(reply: Reply, policy: Policy, tables: string): LoadedTable | undefined {
  const listing = reply.sections.get("listing");
  if (listing === undefined) return undefined;
  const nftables = policy.backend === "nftables" ? parseTables(tables).filter(isOf(policy)) : [];
  return {
    listing,
    counters: nftables.flatMap(({ counter }) => (counter === undefined ? [] : [counter.name])),
    sets: nftables.flatMap(({ set }) => {
      if (set === undefined) return [];
      const { name, type, size, flags } = set;
      const words = Array.isArray(type) ? type.join(" . ") : `${type}`;
      return [{ name, type: words, flags, ...(size === undefined ? {} : { size }) }];
    }),
    chains: nftables.flatMap(({ chain }) =>
      chain === undefined ? [] : [{ name: chain.name, hook: chain.hook, priority: chain.prio }],
    ),
  };
}

function isOf(policy: Policy): (entry: Entry) => boolean {
  const own = tableName(policy.name);
  return ({ set, counter, chain }) =>
    [set, counter, chain].some((thing) => thing?.family === "inet" && thing.table === own);
}

function parseTables(json: string): readonly Entry[] {
  // What Node says of text that is no JSON quotes it, ports and all.
  const reading = tablesSchema.safeParse(parseJson(json));
  if (reading.success) return reading.data.nftables;
  throw new KnockgateError("HOST_FAILED", "nft on the host lists tables in a form that is not known.", {
    cause: reading.error,
  });
}
