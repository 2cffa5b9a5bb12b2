import { isTokenHost } from "../../policy/token.js";
import type { ObservedTokens, ObservedUser } from "../tokens.js";
import type { Reply } from "./program.js";

/** Reads what the host script says of a policy's tokens; `undefined` when the policy has none there. */
export function readTokens(reply: Reply): ObservedTokens | undefined {
  const digest = reply.values.get("tokens_digest");
  if (digest === undefined) return undefined;
  const host = reply.values.get("tokens_host") ?? "";
  const users = reply.list("tokens_user").flatMap(readUser);
  return {
    digest,
    host: isTokenHost(host) ? host : "",
    ...(reply.values.get("tokens_readable") === "yes" ? { isReadable: true } : {}),
    until: users.length === 0 ? 0 : Math.min(...users.map(({ until }) => until)),
    users,
  };
}

/** Reads the host's clock, in seconds since 1970. */
export function readClock(reply: Reply): number | undefined {
  const said = reply.values.get("clock") ?? "";
  return /^\d{1,12}$/.test(said) ? Number(said) : undefined;
}

/** `GATE USER FROM UNTIL OPENED LAST-FROM LAST-TO`; 0 for a time that is not known. */
function readUser(said: string): readonly ObservedUser[] {
  const [gate, user, ...numbers] = said.split(" ");
  const [from, until, opened, lastFrom, lastTo] = numbers.map(Number);
  if (gate === undefined || user === undefined || from === undefined || until === undefined) return [];
  const last = lastFrom && lastTo ? { last: { from: lastFrom, to: lastTo } } : {};
  return [{ gate, user, from, until, opened: opened ?? 0, ...last }];
}
