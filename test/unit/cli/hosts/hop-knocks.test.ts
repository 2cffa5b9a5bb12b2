import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findHopKnocks } from "../../../../src/cli/hosts/hop-knocks";
import { saveProfile } from "../../../../src/cli/profiles/profile-store";
import { makeProfile } from "../../../../src/knock/clients/profile";
import type { ResolvedConnection, ResolvedLogin } from "../../../../src/ssh/resolve";
import { readPolicy } from "../../policy/read-policy";

const policyOf = (tcp: number) =>
  readPolicy({
    name: "way",
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [{ tcp }] } }],
  });
const patience = { ignoreHostKey: false, dialErrorLimit: 0, perDialTimeout: 5 };
const loginTo = (host: string, more: Partial<ResolvedLogin> = {}): ResolvedLogin => {
  return { host, port: 22, user: "root", ...patience, ...more };
};

let folder: string;
let environment: Record<string, string>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "knockgate-hops-"));
  environment = { XDG_CONFIG_HOME: folder };
  const way = { host: "192.0.2.1", port: 22, user: "ops" };
  await saveProfile(environment, makeProfile("first", way, policyOf(7_001)));
  await saveProfile(environment, makeProfile("last", { ...way, host: "192.0.2.2" }, policyOf(7_002)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The ports of the steps that open each machine on the way, the last one first; `undefined` where none do. */
async function openAll(last: ResolvedLogin) {
  const connection: ResolvedConnection = { ...loginTo("edge"), transport: "openssh", proxy: last };
  const openHop = await findHopKnocks(connection, environment);
  const portsOf = (login: ResolvedLogin) =>
    openHop?.(login)
      ?.next()
      .map((step) => "port" in step && step.port);
  return [last, ...(last.proxy === undefined ? [] : [last.proxy])].map(portsOf);
}

test("each machine on the way is opened by the profile of its name", async () => {
  expect(await openAll(loginTo("last", { proxy: loginTo("first") }))).toEqual([[7_002], [7_001]]);
});

test("a machine without such a profile is not knocked at, and neither is a port that no gate protects", async () => {
  // The command line goes by names only: another profile may have the same address.
  expect(await openAll(loginTo("192.0.2.1"))).toEqual([undefined]);
  expect(await openAll(loginTo("last", { port: 2_222, proxy: loginTo("first") }))).toEqual([
    undefined,
    [7_001],
  ]);
});
