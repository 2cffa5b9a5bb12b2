import type { HopDialing } from "../ssh/jump-host/dial-through.js";
import type { HopKnocker } from "../ssh/jump-host/hop-knocker.js";
import { nameLogin } from "../ssh/name-login.js";
import type { ResolvedLogin } from "../ssh/resolve.js";
import { listKnocksBefore, type OtherGate } from "./behind.js";
import { makeKnocker } from "./knocker.js";
import type { Purse } from "./purse.js";

/** A machine that may be on the way to a host, and its gates. Secret. */
export interface HopProfile {
  /** The machine's name, as ssh_config(5) may have it. */
  readonly name: string;
  /** Its name or address. */
  readonly host: string;
  readonly gates: readonly OtherGate[];
}

/**
 * Makes what opens the machines on the way to a host: all gates before a machine's SSH port. Each machine has one
 * knocker, because a token is good once.
 *
 * @param findGates finds the gates of a machine
 */
export function openHopsBy(
  findGates: (login: ResolvedLogin) => readonly OtherGate[],
  purse: Purse,
): NonNullable<HopDialing["openHop"]> {
  const knockers = new Map<string, HopKnocker>();
  return (login) => {
    const name = nameLogin(login);
    const known = knockers.get(name);
    if (known !== undefined) return known;
    const knocks = listKnocksBefore(findGates(login), login.port);
    if (knocks.length === 0) return undefined;
    const knocker = makeKnocker(knocks, purse);
    knockers.set(name, knocker);
    return knocker;
  };
}

/**
 * Lists the gates of all profiles that are of a machine: that have the host as the login has it, or as ssh_config
 * resolves it.
 */
export function listHopGates(
  profiles: readonly HopProfile[],
  { host, settings }: Pick<ResolvedLogin, "host" | "settings">,
): readonly OtherGate[] {
  const words = [host, settings?.hostName];
  const ofMachine = profiles.filter(
    (profile) => words.includes(profile.host) || words.includes(profile.name),
  );
  return ofMachine.flatMap(({ gates }) => gates);
}
