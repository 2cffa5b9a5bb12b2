import { writeIso, writeMinute, writeSecond } from "../../change/utc.js";
import { readAddress } from "../../diagnose/capture/address.js";
import type { LoggedOpening, LoggedOpenings, ObservedTokens, ObservedUser } from "../../host/tokens.js";

/** What a log is called. */
const logNames = { journal: "journal", kernel: "kernel log" } as const;

/**
 * Says for each user how often doors were opened, and when last, with the source of each figure. Then says how far back
 * the host's log was read.
 *
 * @param logged `undefined`: the policy does not log openings
 */
export function describeUsers({ users }: ObservedTokens, logged?: LoggedOpenings): readonly string[] {
  const lines = users.map((user) => {
    const parts = [describeCount(user), ...describeLogged(user, logged), describeTokens(user)];
    return `user ${user.user} at gate ${user.gate}: ${parts.join("; ")}`;
  });
  return [...lines, ...describeLog(logged)];
}

function describeCount({ opened, last }: ObservedUser): string {
  const doors = opened === 1 ? "1 door opened" : `${opened} doors opened`;
  if (last === undefined) return doors;
  return `${doors}, the last one between ${writeMinute(last.from)} and ${writeMinute(last.to)} (counter)`;
}

function describeLogged(user: ObservedUser, logged: LoggedOpenings | undefined): readonly string[] {
  const opening = findOpening(user, logged);
  if (opening === undefined || logged === undefined || logged.log === "none") return [];
  return [`last logged ${writeSecond(opening.at)} from ${readSource(opening)} (${logNames[logged.log]})`];
}

function describeTokens({ until }: ObservedUser): string {
  return until === 0 ? "no tokens now" : `tokens until ${writeMinute(until)}`;
}

/** A user without a line may have opened a gate before that, or more often than the policy logs in a minute. */
function describeLog(logged: LoggedOpenings | undefined): readonly string[] {
  if (logged === undefined) return [];
  const { log, since } = logged;
  if (log === "none")
    return ["the host's log can't be read, so the times of openings are those of its counters"];
  return since === undefined ? [] : [`the host's ${logNames[log]} was read back to ${writeMinute(since)}`];
}

function findOpening(
  { gate, user }: ObservedUser,
  logged: LoggedOpenings | undefined,
): LoggedOpening | undefined {
  return logged?.openings.find((one) => one.gate === gate && one.user === user);
}

/** The kernel writes all digits of an IPv6 address. */
function readSource({ source }: LoggedOpening): string {
  return readAddress(source) ?? source;
}

/**
 * Finds users whose tokens do not last, or are not taken yet.
 *
 * @param now the host's clock, in seconds since 1970
 * @param horizonSeconds how far ahead the host holds tokens once it has filled its sets
 */
export function findTokenTrouble(
  { users }: ObservedTokens,
  now: number,
  horizonSeconds: number,
): readonly string[] {
  return users.flatMap(({ gate, user, from, until }) => {
    const place = `user ${user} at gate ${gate}`;
    if (until === 0)
      return [`${place} has no tokens on the host: \`systemctl list-timers\` there shows what fills them`];
    const late = [
      `${place} has tokens only until ${writeMinute(until)}: nothing fills the host's sets any more`,
    ];
    const lost = [
      `the host has lost tokens (a reboot?): ${place} is let in by those from ${writeMinute(from)} on, which clients find`,
    ];
    return [...(until - now < horizonSeconds / 2 ? late : []), ...(from > now ? lost : [])];
  });
}

/** What `--json` prints of users, and of the log if the policy logs openings. */
export function listUserFields({ users }: ObservedTokens, logged?: LoggedOpenings) {
  const rows = users.map((one) => {
    const { gate, user, opened, last, from, until } = one;
    const line = findOpening(one, logged);
    return {
      gate,
      user,
      opened,
      ...(last === undefined ? {} : { lastFrom: writeIso(last.from), lastTo: writeIso(last.to) }),
      ...(line === undefined ? {} : { loggedAt: writeIso(line.at), loggedFrom: readSource(line) }),
      ...(until === 0 ? {} : { tokensFrom: writeIso(from), tokensUntil: writeIso(until) }),
    };
  });
  if (logged === undefined) return { users: rows };
  const { log, since } = logged;
  return { users: rows, log, ...(since === undefined ? {} : { logSince: writeIso(since) }) };
}
