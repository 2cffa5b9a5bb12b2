import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import type { ErrorCode } from "../../../src/errors";
import * as operations from "../../../src/pulumi/ruleset/operations";
import { type Properties, wave } from "../../../src/pulumi/ruleset/provider";
import type { ConnectionInput } from "../../../src/ssh/connection";
import { findSecrets, splitKey } from "../e2e/secrets";
import { hideCommand } from "./bastions";
import { createGate } from "./create-gate";
import { claimHost, connectionTo, deployTo } from "./deployment";
import { leavePending } from "./pending";
import { makePolicy } from "./policies";
import { reconfigureSshd } from "./sshd";

const steps = [
  { tcp: 17_411 },
  { udp: 28_522, udpPayloadBytes: 1_033 },
  { icmpPayloadBytes: 1_177 },
  { tcp: 16_633 },
];
const numbers = ["17411", "28522", "1033", "1177", "16633", "98533"];
const passwords = {
  password: "pa/ss+wo rd&%=1",
  sudoPassword: 'su"do\\pass 2',
  privateKeyPassword: "phr/ase+ 3",
};
const garbledKey =
  "-----BEGIN OPENSSH PRIVATE KEY-----\nbm90L2Era2V5IGJ1dCBhIHNlY3JldA==\n-----END OPENSSH PRIVATE KEY-----\n";

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent("an error holds no secret, in its message, causes and traces", () => {
  let lab: Lab;
  beforeAll(async () => {
    vi.spyOn(console, "log").mockReturnValue();
    lab = await openLab({ hosts: 8 });
    // The server must accept passwords, so that the deployer tries the wrong one.
    await reconfigureSshd(lab.hosts[7] as LabHost, ["PasswordAuthentication yes"]);
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    await lab?.close();
  });

  function ask(host: LabHost, connection: Partial<ConnectionInput> = {}, policy: object = {}): Properties {
    const gate = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps }, openForSeconds: 60 };
    return {
      connection: connectionTo(lab, host, { ...passwords, ...connection }),
      policy: { name: "edge", gates: [gate], ...policy },
      undoAfterSeconds: 60,
    };
  }

  /** Replaces nft on a host for the arguments that a shell pattern matches. */
  async function answerForNft(host: LabHost, pattern: string, answer: string): Promise<void> {
    const nft = `#!/bin/sh\ncase "$*" in\n${pattern}) ${answer} ;;\nesac\nexec /usr/sbin/nft "$@"\n`;
    await host.run(["sh", "-c", "cat >/usr/local/sbin/nft && chmod 0755 /usr/local/sbin/nft"], {
      stdin: nft,
    });
  }

  /** A new error code does not compile until it has an entry here. */
  const failures: Readonly<Record<ErrorCode, () => Promise<unknown>>> = {
    POLICY_INVALID: () => {
      const knock = { steps: [{ tcp: 98_533, udp: 17_411 }] };
      const gates = [{ name: "ssh", protect: [{ tcp: "22" }], knock }];
      return createGate(ask(lab.hosts[7] as LabHost, {}, { gates }));
    },
    ARGUMENTS_INVALID: () => createGate(ask(lab.hosts[7] as LabHost, { privateKey: garbledKey })),
    HOST_KEY_UNKNOWN: () => {
      const { connection, ...rest } = ask(lab.hosts[7] as LabHost);
      const { hostKey: _none, ...unpinned } = connection as ConnectionInput;
      return createGate({ ...rest, connection: unpinned });
    },
    HOST_KEY_MISMATCH: () => createGate(ask(lab.hosts[7] as LabHost, { hostKey: lab.hosts[6]?.hostKey })),
    UNREACHABLE: () => createGate(ask(lab.hosts[7] as LabHost, { port: 9 })),
    LOGIN_REFUSED: () => createGate(ask(lab.hosts[7] as LabHost, { user: "nobody-here" })),
    NOT_ALLOWED: () => createGate(ask(lab.hosts[7] as LabHost, { user: "plain" })),
    LOCKOUT: () => createGate(ask(lab.hosts[7] as LabHost, {}, { denyFrom: [lab.outside.ipv4] })),
    HOST_UNFIT: async () => {
      const host = claimHost(lab);
      await hideCommand(host, "flock");
      await createGate(ask(host));
    },
    OWNED_BY_ANOTHER: async () => {
      const host = claimHost(lab);
      await createGate(ask(host));
      await createGate(ask(host, {}, { stealth: true }));
    },
    CHANGE_PENDING: async () => {
      const host = claimHost(lab);
      await leavePending(makePolicy({ steps }), undefined, 600, await deployTo(lab, host));
      await createGate(ask(host));
    },
    STAGE_FAILED: async () => {
      const host = claimHost(lab);
      await answerForNft(host, "-c*", 'echo "Error: tcp dport 17411 udp dport 28522 { 16633 }" >&2; exit 1');
      await createGate(ask(host));
    },
    NOT_CONFIRMED: async () => {
      const host = claimHost(lab);
      const eaten = await lab.swallow({ to: host, protocol: "tcp", port: 16_633 });
      await createGate(ask(host)).finally(() => eaten.restore());
    },
    WAVE_FAILED: () => {
      const told = { id: "edge-1", state: ask(lab.hosts[7] as LabHost) };
      const hosts = [{ name: "a", lastChange: { at: new Date().toISOString(), seconds: 1 }, failure: "ill" }];
      const rollout = { fleet: "web", wave: 1, of: 1, maxFailures: 0, pauseSeconds: 0, onFailure: "undo" };
      return wave.create({ ...rollout, hosts, rulesets: { a: told } });
    },
    HOST_FAILED: async () => {
      const host = claimHost(lab);
      const { id, outs } = await createGate(ask(host));
      await answerForNft(host, "-f*|flush*", 'echo "Error: tcp dport 17411 udp dport 28522" >&2; exit 1');
      await operations.delete(id, outs);
    },
  };

  test.each(Object.entries(failures))("%s", async (code, fail) => {
    const error: unknown = await fail().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    const said = inspect(error, {
      depth: null,
      showHidden: true,
      maxStringLength: null,
      maxArrayLength: null,
    });
    const key = splitKey(lab.privateKey).concat(splitKey(garbledKey));
    expect(findSecrets(said, [...numbers, ...Object.values(passwords), ...key])).toEqual([]);
  });
});
