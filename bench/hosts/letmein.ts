import { createHmac, randomBytes } from "node:crypto";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { locateLetmein } from "../../tools/setup/letmein-place.mjs";
import { type BenchHost, doorPort } from "./bench-hosts";
import type { KnockStep } from "./prober";
import { closeDoor } from "./rulesets";

export const controlPort = 5_800;
/** A message of letmein's: four numbers of 4 bytes, a salt of 8 and an authentication of 32. */
export const letmeinBytes = 56;
const magic = 0x3b1bb719;
const user = 1;
const resource = 0x1a;
const operations = { knock: 0, response: 2 } as const;
const folder = "/tmp/letmein";

/** What host and client share. */
export function makeLetmeinKey(): Buffer {
  return randomBytes(32);
}

/**
 * Closes a host's door and lets letmein open it. It listens on UDP and answers nobody who does not know the key, as its
 * documentation recommends for UDP.
 */
export async function startLetmeind({ machine }: BenchHost, key: Buffer): Promise<void> {
  await machine.run(["nft", "-f", "-"], {
    stdin: closeDoor("chain LETMEIN-INPUT { }", "jump LETMEIN-INPUT"),
  });
  // The firewall part accepts only a daemon of this user.
  const prepare = [
    "echo letmeind:x:990:990::/:/bin/false >>/etc/passwd",
    "echo letmeind:x:990: >>/etc/group",
    `install -d -m 0755 ${folder}`,
    "install -d -o letmeind -g letmeind -m 0755 /run/letmeind",
    `umask 077; cat >${folder}/letmeind.conf`,
    `chown letmeind ${folder}/letmeind.conf`,
  ];
  const configuration = `[GENERAL]
port = ${controlPort} / udp
control-error-policy = basic-auth
[NFTABLES]
exe = /usr/sbin/nft
family = inet
table = byhand
chain-input = LETMEIN-INPUT
timeout = 10
${writeSecrets(key)}`;
  await machine.run(["sh", "-ec", prepare.join("\n")], { stdin: configuration });
  const asUser = ["setpriv", "--reuid", "letmeind", "--regid", "letmeind", "--clear-groups"];
  for (const [program, enter] of [
    ["letmeinfwd", []],
    ["letmeind", asUser],
  ] as const) {
    // A host does not see the home folder, where the programs are kept.
    copyFileSync(locateLetmein(program), `/proc/${machine.pid}/root${folder}/${program}`);
    // Its complaints are one for each wrong packet.
    const run = `chmod 0755 ${folder}/${program}; exec "$@" >${folder}/${program}.log 2>/dev/null`;
    const argv = [...enter, `${folder}/${program}`, "--no-systemd", "-c", `${folder}/letmeind.conf`];
    machine.spawn(["sh", "-c", run, "sh", ...argv]);
    const pidFile = `/run/${program}/${program}.pid`;
    await machine.run(["sh", "-c", `until [ -s ${pidFile} ]; do sleep 0.05; done`], { timeoutMs: 15_000 });
  }
}

/** How many times a host's letmeind has opened the door. */
export async function countLetmeinOpenings({ machine }: BenchHost): Promise<number> {
  const argv = ["grep", "-c", "successfully knocked", `${folder}/letmeind.log`];
  return Number((await machine.run(argv, { check: false })).stdout);
}

/** Writes the client's configuration, and returns its commands that open and close the door of a host. */
export function configureLetmein({ address }: BenchHost, key: Buffer, directory: string) {
  const file = join(directory, "letmein.conf");
  const text = `[GENERAL]\nport = ${controlPort} / udp\n[CLIENT]\ndefault-user = ${hex(user)}\n${writeSecrets(key)}`;
  writeFileSync(file, text, { mode: 0o600 });
  const command = (verb: "knock" | "revoke") => {
    return [locateLetmein("letmein"), "-c", file, verb, address, `${doorPort}`] as const;
  };
  return { knock: command("knock"), revoke: command("revoke") };
}

/**
 * Makes a knock as letmein's client does: one packet, and one more that proves that the client knows the key, by what
 * the host answered. `saw` gets the second one.
 */
export function makeLetmeinKnock(key: Buffer, saw: (response: Buffer) => void = () => undefined): KnockStep {
  const reply = (challenge: Buffer) => {
    const response = writeMessage(key, operations.response, challenge.subarray(24));
    saw(response);
    return response;
  };
  return { udp: controlPort, payload: writeMessage(key, operations.knock, Buffer.alloc(32)), reply };
}

/** All numbers are big-endian. The authentication is an HMAC-SHA3-256 of all but the magic number. */
function writeMessage(key: Buffer, operation: number, challenge: Buffer): Buffer {
  const numbers = Buffer.from([magic, operation, user, resource].map(hex).join(""), "hex");
  const salt = randomBytes(8);
  const signed = [numbers.subarray(4), salt, challenge];
  return Buffer.concat([numbers, salt, createHmac("sha3-256", key).update(Buffer.concat(signed)).digest()]);
}

function writeSecrets(key: Buffer): string {
  const shared = key.toString("hex").toUpperCase();
  return `[KEYS]\n${hex(user)} = ${shared}\n[RESOURCES]\n${hex(resource)} = port: ${doorPort}\n`;
}

function hex(value: number): string {
  return value.toString(16).toUpperCase().padStart(8, "0");
}
