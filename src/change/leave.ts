import { nameOnHost } from "../backends/backends.js";
import { KnockgateError } from "../errors.js";
import { library } from "../host/script/program.js";
import type { Policy } from "../policy/policy.js";
import { joinWords } from "../ssh/quote-shell.js";
import { type LifeSign, lookForLife } from "./prove/alive.js";
import { reachHost } from "./reach.js";
import { removeFromReached } from "./remove.js";
import type { ChangeContext } from "./request.js";

export interface Leaving {
  readonly policy: Policy;
  /** The policies that the host may have, likeliest first; at least one. */
  readonly possible: readonly Policy[];
  readonly owner: string;
  /** The host's name or address, for messages. */
  readonly host: string;
  /** Whether to succeed, with warnings, when the host can't be reached any more. */
  readonly deleteUnreachable: boolean;
  log(line: string): void;
}

/** Opens the routes to a host while `use` runs. */
type WithWorld = (use: (context: ChangeContext) => Promise<void>) => Promise<void>;

/** How far the removal got: to the routes, which may use a bastion; to the host itself; or into its shell. */
type Phase = "way" | "host" | "shell";

/**
 * Removes a policy from a host. With `deleteUnreachable`, it leaves the policy behind on a host that is gone: one that
 * can't be reached, or whose address another machine has now. A host that was reached and fails never counts as gone.
 *
 * @throws KnockgateError
 */
export async function removeOrLeave(leaving: Leaving, withWorld: WithWorld): Promise<void> {
  const { policy, possible, owner, host, deleteUnreachable, log } = leaving;
  let phase: Phase = "way";
  let look: LifeSign | undefined;
  try {
    await withWorld(async (context) => {
      phase = "host";
      const { routes, dialing } = context;
      const reached = await reachHost(routes, possible, true, dialing).catch(async (cause: unknown) => {
        if (isGone(cause, phase)) look = await lookForLife(routes, dialing.port);
        throw cause;
      });
      phase = "shell";
      await removeFromReached(policy, owner, reached, log, possible);
    });
  } catch (cause) {
    if (!isGone(cause, phase)) throw cause;
    if (!deleteUnreachable) {
      const remedy = advise(cause, look);
      const words = `policy ${policy.name} on ${host} was not removed: ${endSentence(cause.summary)} ${remedy}`;
      throw new KnockgateError(cause.code, words, { cause });
    }
    const place = `warning: ${policy.name} on ${host}`;
    log(`${place}: not removed from the host, only from the state: ${cause.summary}`);
    if (look?.answer !== undefined) log(`${place}: a machine still answers there: ${look.answer}`);
    log(
      `${place}: if the host comes back, its gate is still up; run there as root: ${writeRemoval(leaving)}`,
    );
  }
}

const remedyIfGone =
  "If this host is gone for good, set `deleteUnreachable: true` on its gate, run `pulumi up`, which does not contact " +
  "the host for that, and delete the gate again. If the program does not have the gate any more, run it with " +
  "KNOCKGATE_DELETE_UNREACHABLE=true in the environment.";

/**
 * Advises with care: a host that still runs must not keep its gate, and what answers at its address may be that host.
 */
function advise({ code }: KnockgateError, look: LifeSign | undefined): string {
  const isOther = code === "HOST_KEY_MISMATCH";
  if (look?.answer === undefined && !isOther)
    return look === undefined ? remedyIfGone : `Nothing else answers there either. ${remedyIfGone}`;
  const seen = look?.answer === undefined ? "" : ` (${look.answer})`;
  const next = isOther
    ? "If this host has a new key, set `hostKey` or correct known_hosts."
    : "Find out why it does not take an SSH connection from here.";
  const where = "docs/leaving.md says what to do if another machine has this address now.";
  return `A machine answers there${seen}: if it is this host, its gate is still up. ${next} ${where}`;
}

function endSentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

/**
 * Whether the host is gone. In the phase "way", a host key that does not match is the bastion's, and proves nothing
 * about the host.
 */
function isGone(cause: unknown, phase: Phase): cause is KnockgateError {
  if (!(cause instanceof KnockgateError) || phase === "shell") return false;
  return cause.code === "UNREACHABLE" || (cause.code === "HOST_KEY_MISMATCH" && phase === "host");
}

/** Writes the command that removes the policy, for somebody to run on the host. */
function writeRemoval({ policy, owner }: Leaving): string {
  const script = `${library}/${policy.name}/host.sh`;
  return joinWords(["sh", script, "remove", policy.name, owner, nameOnHost(policy)]);
}
