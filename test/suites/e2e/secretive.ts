import { join } from "node:path";
import type { CustomResourceOptions } from "@pulumi/pulumi";
import {
  type ConnectionArgs,
  KnockGate,
  type KnockGateArgs,
  type PolicyArgs,
  type StepArgs,
} from "knockgate";
import { runCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import { makeKeyFile } from "../host/agents";
import { reconfigureSshd } from "../host/sshd";
import { addUser } from "../host/users";

interface DiallerModule {
  readonly Dialler: new (name: string, props: object, opts: CustomResourceOptions) => object;
}
const { Dialler }: DiallerModule = require(join(__dirname, "dialler.cjs"));

/** All secrets, each for its own place. They hold characters that JSON, a shell and a URL each write differently. */
export const passwords = {
  login: "pa/ss+wo rd&%=1?",
  sudo: `su"do\\pass'ü`,
  bastion: "ba<st>ion pass=2",
  passphrase: "phrase/of+key 3",
  wrong: "not/the+right one",
  wrongSudo: "not/the+right sudo",
  wrongPassphrase: "not/the+right phrase",
  twoLines: "first/line+5\nsecond/line+6",
} as const;

/** Ports below the range for clients' ports, so that no log holds one by chance. */
export const knocks = {
  near: [{ tcp: 17411 }, { udp: 28522, udpPayloadBytes: 1033 }, { icmpPayloadBytes: 1177 }, { tcp: 16633 }],
  later: [{ udp: 27422 }, { tcp: 18533 }, { icmpPayloadBytes: 1199 }, { tcp: 16644 }],
  far: [{ tcp: 21455 }, { icmpPayloadBytes: 1155 }, { udp: 19866 }],
  swallowed: [{ tcp: 22477 }, { udp: 19888 }, { tcp: 15899 }],
  equal: [{ icmpPayloadBytes: 1122 }, { icmpPayloadBytes: 1122 }, { tcp: 13544 }],
  wrong: [{ tcp: 23522 }, { tcp: 98533 }, { udp: 12544, tcp: 12555 }],
} satisfies Record<string, StepArgs[]>;

export const knockNumbers = Object.values(knocks).flatMap((steps: StepArgs[]) => {
  return steps.flatMap((step) => Object.values(step).map(String));
});

/** A lab whose hosts can be logged in to in every way. */
export interface SecretiveLab {
  readonly lab: Lab;
  readonly near: LabHost;
  readonly far: LabHost;
  /** The bastion of the far host. The near host's gates are proven from it. */
  readonly between: LabHost;
  /** The host for the tests that fail. */
  readonly other: LabHost;
  /** The lab's key under a passphrase. */
  readonly encryptedKey: string;
}

export async function prepareLab(lab: Lab): Promise<SecretiveLab> {
  const [near, far, between, other] = lab.hosts as [LabHost, LabHost, LabHost, LabHost];
  const sudoers = "keeper ALL=(ALL:ALL) ALL";
  await Promise.all([
    addUser(near, "keeper", { password: passwords.login, sudoers }),
    addUser(far, "keeper", { password: passwords.sudo, sudoers }),
    addUser(between, "guide", { password: passwords.bastion }),
    addUser(other, "keeper", { password: passwords.sudo, sudoers }),
    between.run(["sh", "-c", "echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range"]),
  ]);
  await Promise.all(lab.hosts.map((host) => reconfigureSshd(host, ["PasswordAuthentication yes"])));
  const file = await makeKeyFile(lab.directory, { passphrase: passwords.passphrase });
  const { stdout: publicKey } = await runCommand(["cat", `${file}.pub`]);
  for (const host of lab.hosts) {
    await host.run(["sh", "-c", "cat >>/etc/ssh/authorized_keys"], { stdin: publicKey });
  }
  const { stdout: encryptedKey } = await runCommand(["cat", file]);
  return { lab, near, far, between, other, encryptedKey };
}

/** What the working program declares. A test changes it from one run to the next. */
export interface Declared {
  steps: StepArgs[];
  note: string;
}

/** Two gates with all the secrets that a gate can have, and a resource that dials one of the hosts. */
export function workingProgram(
  place: SecretiveLab,
  declared: Declared,
): () => Promise<Record<string, unknown>> {
  const { lab, near, far, between, encryptedKey } = place;
  return async () => {
    const proveFrom = {
      ...reach(between, "plain"),
      privateKey: encryptedKey,
      privateKeyPassword: passwords.passphrase,
    };
    const nearGate = new KnockGate("near", {
      connection: { ...reach(near, "keeper"), password: passwords.login },
      proveFrom,
      policy: writePolicy(declared.steps),
    });
    const proxy = { ...reach(between, "guide"), password: passwords.bastion };
    const farGate = new KnockGate("far", {
      connection: {
        ...reach(far, "keeper"),
        privateKey: lab.privateKey,
        sudoPassword: passwords.sudo,
        proxy,
      },
      policy: writePolicy(knocks.far),
    });
    const props = { host: near.ipv4, note: declared.note };
    new Dialler("dialler", props, { dependsOn: nearGate, hooks: nearGate.hooks });
    const { ruleset, digest, knock, profile } = nearGate;
    return { ruleset, digest, knock, profile, farKnock: farGate.knock, far: { profile: farGate.profile } };
  };
}

type Failures = Readonly<Record<string, readonly [KnockGateArgs, RegExp]>>;

/** Gates that fail in an `up`, each in its own way, and a part of each error. */
export function listFailures({ lab, other, between, encryptedKey }: SecretiveLab): Failures {
  const byKey = { ...reach(other, "keeper"), privateKey: lab.privateKey, sudoPassword: passwords.sudo };
  const fair = { connection: byKey, policy: writePolicy(knocks.swallowed) };
  const by = (connection: ConnectionArgs): KnockGateArgs => ({ ...fair, connection });
  const badLogin = { password: passwords.wrong };
  const badPassphrase = { privateKey: encryptedKey, privateKeyPassword: passwords.wrongPassphrase };
  const badProxy = { ...reach(between, "guide"), password: passwords.wrong };
  return {
    unreachable: [by({ ...byKey, port: 9 }), /UNREACHABLE/],
    login: [by({ ...reach(other, "keeper"), ...badLogin }), /connection\.password.*LOGIN_REFUSED/],
    passphrase: [by({ ...byKey, ...badPassphrase }), /privateKeyPassword/],
    sudo: [by({ ...byKey, sudoPassword: passwords.wrongSudo }), /NOT_ALLOWED/],
    "host-key": [by({ ...byKey, hostKey: between.hostKey }), /HOST_KEY_MISMATCH/],
    bastion: [by({ ...byKey, proxy: badProxy }), /proxy\.password.*LOGIN_REFUSED/],
    swallowed: [fair, /NOT_CONFIRMED/],
  };
}

/** Gates that fail already in a preview, which ends with the first one. */
export function listFindings({ lab, other }: SecretiveLab): readonly Failures[] {
  const connection = { ...reach(other, "keeper"), privateKey: lab.privateKey };
  const twoLines = { ...connection, password: passwords.twoLines };
  return [
    { equal: [{ connection, policy: writePolicy(knocks.equal) }, /equal-echo-steps/] },
    {
      wrong: [
        { connection: twoLines, policy: writePolicy(knocks.wrong) },
        /knock\.steps\[1\]\.tcp.*knock\.steps\[2\].*must be one line/s,
      ],
    },
  ];
}

/** Declares all of them at once. */
export function failingProgram(failures: Failures): () => Promise<void> {
  return async () => {
    for (const [name, [args]] of Object.entries(failures)) new KnockGate(name, args);
  };
}

function reach({ ipv4, hostKey }: LabHost, user: string) {
  return { host: ipv4, user, hostKey, dialErrorLimit: 0, perDialTimeout: 5 };
}

function writePolicy(steps: StepArgs[]): PolicyArgs {
  return {
    name: "edge",
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps }, openForSeconds: 3 }],
    acceptRisks: ["window-too-short"],
  };
}
