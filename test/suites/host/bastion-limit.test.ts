import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { delete as remove } from "../../../src/pulumi/ruleset/operations";
import { connectionThrough } from "./bastions";
import { createGate } from "./create-gate";
import { listGate } from "./inspection";
import { reconfigureSshd } from "./sshd";

const hostCount = 6;

describe("many hosts behind one bastion", () => {
  let lab: Lab;
  let bastion: LabHost;
  let hosts: readonly LabHost[];
  beforeAll(async () => {
    lab = await openLab({ hosts: hostCount + 1 });
    [bastion, ...hosts] = lab.hosts as [LabHost, ...LabHost[]];
  });
  afterAll(() => lab?.close());
  afterEach(() => vi.unstubAllEnvs());

  /** The engine's inputs for one host. The time limits suffice to wait for a turn at the bastion, but not longer. */
  const makeInputs = (host: LabHost) => ({
    connection: { ...connectionThrough(lab, bastion, host), dialErrorLimit: 0, perDialTimeout: 5 },
    policy: {
      name: "edge",
      gates: [
        {
          name: "ssh",
          protect: [{ tcp: "22" }],
          knock: { steps: [{ tcp: 7_411 }, { udp: 8_522 }, { tcp: 6_633 }] },
        },
      ],
    },
    origin: randomUUID(),
  });

  test("are all changed and freed by operations that begin at once, though its sshd allows only three logins at a time", async () => {
    // A quarter of a bastion's usual limit, and of our own: then a few hosts are already too many. sshd takes the last
    // MaxStartups of its file, so its line is changed.
    await bastion.run(["sed", "-i", "s/^MaxStartups .*/MaxStartups 3:100:3/", "/etc/ssh/sshd_config"]);
    await reconfigureSshd(bastion, []);
    vi.stubEnv("KNOCKGATE_BASTION_LIMIT", "2");
    const created = await Promise.all(hosts.map((host) => createGate(makeInputs(host))));
    expect(await Promise.all(hosts.map((host) => listGate(host)))).not.toContain("");
    await Promise.all(created.map(({ id, outs }) => remove(id, outs)));
    expect(new Set(await Promise.all(hosts.map((host) => listGate(host))))).toEqual(new Set([""]));
    expect(bastion.sshdLog()).not.toMatch(/past MaxStartups|drop connection/);
  });
});
