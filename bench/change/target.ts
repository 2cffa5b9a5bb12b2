import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stepsOf as listSteps } from "../../src/policy/knock";
import type { Policy } from "../../src/policy/policy";
import type { Step } from "../../src/policy/step";

/** A host as the code that changes it needs to know it. Root logs in. */
export interface Target {
  readonly name: string;
  readonly address: string;
  /** "ssh-ed25519 AAAA..." */
  readonly hostKey: string;
  /** Text of an OpenSSH private key without a password. */
  readonly privateKey: string;
}

/** The knock before the SSH port. */
export function stepsOf(policy: Policy): readonly Step[] {
  const [gate] = policy.gates;
  return gate === undefined ? [] : listSteps(gate);
}

/** Writes what OpenSSH needs to log in to targets by their names, in a folder of its own. Returns the file for `-F`. */
export function writeSshConfig(directory: string, targets: readonly Target[]): string {
  const [key, known, config] = ["key", "known_hosts", "config"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(key, targets[0]?.privateKey ?? "");
  chmodSync(key, 0o600);
  writeFileSync(known, targets.map(({ name, hostKey }) => `${name} ${hostKey}\n`).join(""));
  const common = `User root\n  IdentityFile ${key}\n  IdentitiesOnly yes\n  UserKnownHostsFile ${known}`;
  const hosts = targets.map(
    ({ name, address }) => `Host ${name}\n  HostName ${address}\n  HostKeyAlias ${name}\n`,
  );
  writeFileSync(
    config,
    `${hosts.join("")}Host *\n  ${common}\n  StrictHostKeyChecking yes\n  BatchMode yes\n`,
  );
  return config;
}
