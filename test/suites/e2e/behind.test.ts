import { setTimeout as pause } from "node:timers/promises";
import { KnockFleet, KnockGate, type StepArgs } from "knockgate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { tryConnect } from "../../../lab/packets";
import { openStack } from "../../../lab/stack";
import { findSecrets, findSecretsBelow } from "./secrets";

const sshSteps: readonly StepArgs[] = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 9633 }];
const otherSshSteps: readonly StepArgs[] = [{ tcp: 6411 }, { udp: 8744 }, { tcp: 9755 }];
const webSteps: readonly StepArgs[] = [{ udp: 5411 }, { tcp: 4522 }, { udp: 7633 }];
const ports = ["7411", "8522", "9633", "6411", "8744", "9755", "5411", "4522", "7633"];

let lab: Lab;
let host: LabHost;
let printed = "";
const listen = { onOutput: (text: string) => (printed += text), color: "never" } as const;
const declared = { sshSteps, openForSeconds: 30, hasWeb: false, hasFleet: false, isTold: true };

beforeAll(async () => {
  lab = await openLab({ hosts: 1 });
  [host] = lab.hosts as [LabHost];
});
afterAll(() => lab?.close());

/** Two policies of one host. SSH is behind the first one's gate. The second belongs to a gate or to a fleet. */
async function program(): Promise<void> {
  const { ipv4, hostKey } = host;
  const login = { user: "ops", privateKey: lab.privateKey, perDialTimeout: 2, dialErrorLimit: 0 };
  const connection = { ...login, host: ipv4, hostKey };
  const first = new KnockGate("site", {
    connection,
    policy: {
      name: "site",
      gates: [
        {
          name: "ssh",
          protect: [{ tcp: "22" }],
          knock: { steps: [...declared.sshSteps] },
          openForSeconds: 2,
        },
      ],
      acceptRisks: ["window-too-short"],
    },
  });
  const behind = declared.isTold ? { behind: first.knock } : {};
  const policy = {
    name: "web",
    gates: [
      {
        name: "web",
        protect: [{ tcp: "8443" }],
        knock: { steps: [...webSteps] },
        openForSeconds: declared.openForSeconds,
      },
    ],
  };
  if (declared.hasWeb) new KnockGate("web", { connection, policy, ...behind });
  if (declared.hasFleet)
    new KnockFleet("fleet", {
      hosts: { a: { connection: { host: ipv4, hostKey } } },
      connection: login,
      policy,
      ...behind,
    });
}

const stack = () => openStack(lab.directory, program);
const listTables = async () => (await host.run(["nft", "list", "tables"])).stdout.trim().split("\n");

async function waitUntilClosed(): Promise<void> {
  await pause(2_300);
  expect(await tryConnect("outside", host.ipv4, 22, 600)).toBe("silent");
}

async function fail(act: Promise<unknown>): Promise<string> {
  return act.then(
    () => "it came through",
    (error: unknown) => `${error}`,
  );
}

describe.sequential("a second policy on a host whose SSH is behind the first one's gate", () => {
  test("can't be brought there without `behind`, and the error says what may block the way", async () => {
    await (await stack()).up(listen);
    await waitUntilClosed();
    Object.assign(declared, { hasWeb: true, isTold: false });
    const failure = await fail((await stack()).up(listen));
    expect(failure).toMatch(/no SSH connection was made without a knock\..* name that gate in `behind`/);
    expect(failure).not.toContain("deleteUnreachable");
  });

  test("is brought there with `behind`, and step 5 says whose gate let SSH through", async () => {
    declared.isTold = true;
    const { stdout } = await (await stack()).up(listen);
    expect(stdout).toContain(
      "5/6 prove: open: gate ssh of another policy lets a fresh SSH connection through after its knock; no gate of this policy protects SSH",
    );
    expect(await listTables()).toEqual(["table inet knockgate_site", "table inet knockgate_web"]);
  });

  test("is looked at by a refresh, which knows the knock from the state", async () => {
    await waitUntilClosed();
    expect((await (await stack()).refresh(listen)).summary.resourceChanges).toEqual({ same: 5 });
  });

  test("learns a new knock of the first without asking its host", async () => {
    declared.sshSteps = otherSshSteps;
    await waitUntilClosed();
    const { summary, stdout } = await (await stack()).up(listen);
    expect(summary.resourceChanges).toMatchObject({ update: 2 });
    expect(stdout).not.toContain("web on ");
  });

  test("is updated through the first one's new knock when one up changes both", async () => {
    Object.assign(declared, { sshSteps, openForSeconds: 31 });
    await waitUntilClosed();
    const { stdout } = await (await stack()).up(listen);
    for (const name of ["site", "web"]) expect(stdout).toMatch(new RegExp(`${name} on .*: 6/6 confirm`));
  });

  test("is deleted through the first one's gate when the program no longer declares it", async () => {
    declared.hasWeb = false;
    await waitUntilClosed();
    await (await stack()).up(listen);
    expect(await listTables()).toEqual(["table inet knockgate_site"]);
  });

  test("may be a fleet's, and all is destroyed by what the state holds", async () => {
    declared.hasFleet = true;
    await waitUntilClosed();
    await (await stack()).up(listen);
    await waitUntilClosed();
    await (await stack()).destroy(listen);
    expect(await host.ruleset()).toBe("");
  });

  test("no knock was printed, and none is in the state in plain text", async () => {
    expect(findSecrets(printed, ports)).toEqual([]);
    expect(await findSecretsBelow(`${lab.directory}/backend`, ports)).toEqual([]);
  });
});
