import { isIP } from "node:net";

/** A mistake in a host's field: something that belongs in another field. */
interface Misplaced {
  isSeenIn(host: string): boolean;
  readonly message: string;
  /** @param at the path of the object that holds the host */
  fix(at: string): string;
}

const misplaced: readonly Misplaced[] = [
  {
    isSeenIn: (host) => /^[a-z][a-z0-9+.-]*:\/\//i.test(host),
    message: "is a URL.",
    fix: (at) => `Give the name or the address only, and the port as ${at}.port.`,
  },
  {
    isSeenIn: (host) => host.includes("@"),
    message: "has a user in it.",
    fix: (at) => `Give the user as ${at}.user.`,
  },
  {
    isSeenIn: (host) => /^\[.*\](:.*)?$/.test(host),
    message: "has brackets in it.",
    fix: (at) => `Leave them out, and give the port as ${at}.port.`,
  },
  {
    isSeenIn: (host) => /^[^:]*:[^:]*$/.test(host),
    message: "has a port in it.",
    fix: (at) => `Give the port as ${at}.port.`,
  },
  {
    isSeenIn: (host) => host.includes(":"),
    message: "is not an IPv6 address.",
    fix: () => "Correct it.",
  },
];

/**
 * Says what is wrong in a host's field. Does not quote the value.
 *
 * @param at the path of the object that holds the host
 */
export function findHostFault(
  host: string,
  at: string,
): { readonly message: string; readonly fix: string } | undefined {
  if (isIP(host) !== 0) return undefined;
  const found = misplaced.find((one) => one.isSeenIn(host));
  return found && { message: found.message, fix: found.fix(at) };
}
