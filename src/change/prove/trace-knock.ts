import { backendOf, nameOnHost } from "../../backends/backends.js";
import { commandProgram, parseReply } from "../../host/script/program.js";
import type { Gate, Policy } from "../../policy/policy.js";
import type { HostConnection } from "../../ssh/host.js";
import { describeCourse, describeToken, nameTakenSet } from "./knock-course.js";
import { type FindSource, makeOwnKnocker, type ProofContext } from "./proof.js";

const askTimeoutMs = 10_000;
/** Reads of the set for each step. A step that gets no answer has normally arrived by the last one. */
const triesToFind = 3;

export function makeFindSource(connection: HostConnection, policy: Policy): FindSource {
  const backend = backendOf(policy);
  return async (set, source) => {
    const words = ["seen", policy.name, nameOnHost(policy), backend.writeSource(source), set];
    const { stdout } = await connection.run(commandProgram(words), askTimeoutMs);
    const reply = parseReply(stdout);
    if (reply.values.get("end") !== "seen") throw new Error("the host can't tell");
    const found = reply.list("seen").find((line) => line.startsWith(`${set} `));
    return found === undefined ? undefined : backend.readFreshness(found.slice(set.length + 1));
  };
}

/**
 * Finds out how far a knock that does not open gets on the host. Sends it once more, one step at a time, and reads the
 * host's sets after each. So no later packet can reset what an earlier one has reached.
 *
 * @returns a sentence; `undefined` when that can't be found out
 */
export async function traceKnock(
  policy: Policy,
  gate: Gate,
  context: Pick<ProofContext, "prober" | "route" | "clientAddress" | "findSource" | "host" | "purse">,
): Promise<string | undefined> {
  const { prober, route, clientAddress, findSource } = context;
  const source = prober === route ? clientAddress : prober.address;
  if (source === undefined) return undefined;
  const steps = makeOwnKnocker(policy, gate, context).next();
  const isToken = steps.some(({ kind }) => kind === "token");
  try {
    for (const [index, step] of steps.entries()) {
      const place = { gate: gate.name, position: index + 1, of: steps.length };
      const set = nameTakenSet(policy, place, source);
      const before = await findSource(set, source);
      await prober.knock([step]);
      if (!(await isFresh(() => findSource(set, source), before)))
        return isToken ? describeToken(false, source) : describeCourse(index, steps.length, source);
    }
    return isToken ? describeToken(true, source) : describeCourse(steps.length, steps.length, source);
  } catch {
    // The proof has failed already. The reason stays unknown then.
    return undefined;
  }
}

async function isFresh(
  find: () => Promise<number | undefined>,
  before: number | undefined,
): Promise<boolean> {
  for (let tries = 0; tries < triesToFind; tries += 1) {
    const now = await find();
    if (now !== undefined && (before === undefined || now > before)) return true;
  }
  return false;
}
