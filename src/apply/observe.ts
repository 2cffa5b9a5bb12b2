import { isIP } from "node:net";
import { z } from "zod";
import { KnockgateError } from "../errors.js";
import { type Counts, readCounts } from "../plan/counts.js";
import { parseJson } from "../plan/json.js";
import type { LoadedTable, Observed } from "../plan/observed.js";
import type { Policy } from "../policy/schema.js";
import type { HostConnection } from "../transport/host.js";
import { commandProgram, nameBackend, parseReply, probeProgram, type Reply } from "./program.js";

const probeTimeoutMs = 30_000;

const tableSchema = z.object({
  nftables: z.array(
    z.object({
      set: z
        .object({
          name: z.string(),
          type: z.unknown(),
          size: z.number().optional(),
          flags: z.array(z.string()).default([]),
        })
        .optional(),
      counter: z.object({ name: z.string() }).optional(),
      chain: z
        .object({ name: z.string(), hook: z.string().optional(), prio: z.number().optional() })
        .optional(),
    }),
  ),
});

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
  const loaded = readLoaded(reply);
  const pendingId = reply.values.get("pending");
  const undone = /^why=(.*)$/m.exec(reply.sections.get("undone") ?? "")?.[1];
  return {
    // sshd always says who is there; what is no address is not put into a ruleset.
    clientAddress: isIP(clientAddress) === 0 ? "127.0.0.1" : clientAddress,
    backend: policy.backend,
    nftVersion: reply.values.get("nft") ?? "",
    iptablesVersion: reply.values.get("iptables") ?? "",
    missing: reply.list("missing"),
    others: reply.sections.get("others") ?? "",
    sockets: reply.sections.get("sockets") ?? "",
    init: readInit(reply.values.get("init")),
    unwritable: reply.list("unwritable"),
    isMissingAtBoot: reply.values.get("boot") === "missing",
    front: reply.sections.get("front") ?? "",
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

function readLoaded(reply: Reply): LoadedTable | undefined {
  const listing = reply.sections.get("listing");
  const json = reply.sections.get("table");
  if (listing === undefined) return undefined;
  const nftables = json === undefined ? [] : parseTable(json);
  return {
    listing,
    counters: nftables.flatMap(({ counter }) => (counter === undefined ? [] : [counter.name])),
    sets: nftables.flatMap(({ set }) =>
      set === undefined
        ? []
        : [{ ...set, type: Array.isArray(set.type) ? set.type.join(" . ") : `${set.type}` }],
    ),
    chains: nftables.flatMap(({ chain }) =>
      chain === undefined ? [] : [{ name: chain.name, hook: chain.hook, priority: chain.prio }],
    ),
  };
}

function parseTable(json: string): z.output<typeof tableSchema>["nftables"] {
  // What Node says of text that is no JSON quotes it, ports and all.
  const reading = tableSchema.safeParse(parseJson(json));
  if (reading.success) return reading.data.nftables;
  throw new KnockgateError("HOST_FAILED", "nft on the host lists tables in a form that is not known.", {
    cause: reading.error,
  });
}
