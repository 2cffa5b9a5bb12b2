import { KnockgateError } from "../errors.js";

export const anotherMachine =
  "Nothing was sent. Either this is another machine, or its key was changed: find out which before you go on.";

/** Says that a machine shows another host key than the expected one. */
export function refuseHostKey(name: string, what: string, cause?: Error): KnockgateError {
  return new KnockgateError("HOST_KEY_MISMATCH", `${name}: ${what}. ${anotherMachine}`, { cause });
}

export const lacksExpectedKeys = "it has no host key of the kinds that are expected";

/** Says that a machine forbids connections from it to others. */
export function refuseForward(name: string, target: string, cause?: Error): KnockgateError {
  const remedy = "see AllowTcpForwarding, PermitOpen and DisableForwarding in sshd_config(5)";
  return new KnockgateError("HOST_UNFIT", `${name}: it does not permit forwarding to ${target}: ${remedy}`, {
    cause,
  });
}
