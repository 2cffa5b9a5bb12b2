import type { ResolvedLogin } from "./resolve.js";

/** Who logs in where, for messages. */
export function nameLogin({ user, host, port }: ResolvedLogin, address = host): string {
  const where = address === host ? "" : ` (${address})`;
  return `${user}@${host}:${port}${where}`;
}
