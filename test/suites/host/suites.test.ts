import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Lab, openLab } from "../../../lab/lab";
import { claimHost } from "./deployment";
import { playLife } from "./suite-life";

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent.each(["bullseye", "sid"] as const)("a host that is Debian's %s", (suite) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 2, clients: 1, suite });
  });
  afterAll(() => lab?.close());

  test.each(["nftables", "iptables"] as const)("supports a gate's whole life with %s", async (backend) => {
    await playLife(lab, claimHost(lab), backend);
    expect.hasAssertions();
  });
});
