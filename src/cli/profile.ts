import type { Profile, ProfileGate } from "../client/profile.js";
import type { Login } from "../client/way.js";
import { KnockgateError } from "../errors.js";
import { protocols } from "../policy/port.js";
import { readStepFields, type StepInput, writeStep } from "../policy/step.js";

/** Whether a text can be the name of a profile, and so of a file and of a host in ssh_config(5). */
export function isProfileName(text: string): boolean {
  return /^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,99}$/.test(text);
}

/**
 * Reads a profile from a file's JSON. Loads neither zod nor the policy's schema, because a knock must start fast.
 *
 * @param source the source's name, for messages
 * @throws KnockgateError `ARGUMENTS_INVALID`, without a value
 */
export function readProfile(name: string, value: unknown, source: string): Profile {
  const { way, gates } = asRecord(value, source);
  const login = asRecord(way, `${source}: way`);
  const { proxy } = login;
  return {
    name,
    way: {
      ...readLogin(login, `${source}: way`),
      ...(proxy === undefined ? {} : { proxy: readLogin(asRecord(proxy, source), `${source}: way.proxy`) }),
    },
    gates: readGates(gates, source),
  };
}

/**
 * Reads gates in the shape of the output `knock`, and ignores other fields.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID`, without a value
 */
export function readGates(value: unknown, source: string): readonly ProfileGate[] {
  if (!Array.isArray(value)) throw wrong(source, "the gates are not a list");
  return value.map((raw: unknown, index) => {
    const place = `${source}: gate ${index + 1}`;
    const { gate, protect, steps, stepTimeoutSeconds, openForSeconds } = asRecord(raw, place);
    if (!Array.isArray(protect) || !Array.isArray(steps))
      throw wrong(place, "protect or steps is not a list");
    return {
      gate: readText(gate, `${place}: gate`),
      protect: protect.map((entry) => readProtect(asRecord(entry, place), place)),
      steps: steps.map((step, at) => readStep(step, `${place}: step ${at + 1}`)),
      stepTimeoutSeconds: readNumber(stepTimeoutSeconds, 86_400, `${place}: stepTimeoutSeconds`),
      openForSeconds: readNumber(openForSeconds, 86_400, `${place}: openForSeconds`),
    };
  });
}

function readLogin(record: Readonly<Record<string, unknown>>, place: string): Login {
  const { host, port, user, hostKey } = record;
  return {
    host: readText(host, `${place}.host`),
    port: readNumber(port, 65_535, `${place}.port`),
    user: readText(user, `${place}.user`),
    ...(hostKey === undefined ? {} : { hostKey: readText(hostKey, `${place}.hostKey`) }),
  };
}

function readProtect(
  entry: Readonly<Record<string, unknown>>,
  place: string,
): ProfileGate["protect"][number] {
  const protocol = protocols.find((one) => entry[one] !== undefined);
  if (protocol === undefined) throw wrong(`${place}: protect`, "it is not text");
  return { [protocol]: readText(entry[protocol], `${place}: protect`) };
}

function readStep(value: unknown, place: string): StepInput {
  const step = readStepFields(asRecord(value, place), {
    port: (of) => readNumber(of, 65_535, place),
    payloadBytes: (of) => readNumber(of, 1_232, place, 0),
  });
  if (step === undefined) throw wrong(place, "it does not say which kind of packet it is");
  return writeStep(step);
}

function asRecord(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw wrong(place, "it is not an object");
}

function readText(value: unknown, place: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw wrong(place, "it is not text");
}

function readNumber(value: unknown, most: number, place: string, least = 1): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw wrong(place, `it is not a whole number from ${least} to ${most}`);
}

function wrong(place: string, why: string): KnockgateError {
  return new KnockgateError("ARGUMENTS_INVALID", `${place}: ${why}`);
}
