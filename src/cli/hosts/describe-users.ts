import { writeIso, writeMinute } from "../../change/utc.js";
import type { ObservedTokens, ObservedUser } from "../../host/tokens.js";

/** Says for each user how often doors were opened, and when last. */
export function describeUsers({ users }: ObservedTokens): readonly string[] {
  return users.map((user) => `user ${user.user} at gate ${user.gate}: ${describeUser(user)}`);
}

function describeUser({ opened, last, until }: ObservedUser): string {
  const doors = opened === 1 ? "1 door opened" : `${opened} doors opened`;
  const when =
    last === undefined ? "" : `, the last one between ${writeMinute(last.from)} and ${writeMinute(last.to)}`;
  return `${doors}${when}; ${until === 0 ? "no tokens now" : `tokens until ${writeMinute(until)}`}`;
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

/** What `--json` prints of each user. */
export function listUserRows({ users }: ObservedTokens) {
  return users.map(({ gate, user, opened, last, from, until }) => ({
    gate,
    user,
    opened,
    ...(last === undefined ? {} : { lastFrom: writeIso(last.from), lastTo: writeIso(last.to) }),
    ...(until === 0 ? {} : { tokensFrom: writeIso(from), tokensUntil: writeIso(until) }),
  }));
}
