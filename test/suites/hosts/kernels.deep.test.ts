// Debian's own kernels, emulated: their modules are loaded on demand, and a reboot is one of the whole machine.
import { expect, test, vi } from "vitest";
import type { BootedHost } from "../../../lab/booted-host";
import { type Lab, openLab } from "../../../lab/lab";
import { connectionTo, openDeployment } from "../host/deployment";
import { isLetIn } from "../host/inspection";
import { listDrift } from "../host/look";
import { findBooted } from "../systemd/booted";
import { describeVersions } from "./booted-life";
import { kernelRows } from "./kernel-rows";
import { beginLife, newSteps, oldSteps } from "./life";
import { recordResult } from "./row";

/** An emulated host is slow, and this machine may do other work. */
const limits = { perDialTimeout: 120 };
const undoAfterSeconds = 900;

vi.setConfig({ testTimeout: 3_600_000 });

/** Modules of the kernel that a gate needs, and that nothing has loaded before. */
const modules = {
  nftables: ["nf_tables", "nft_ct", "nft_limit"],
  iptables: ["xt_recent", "xt_hashlimit"],
} as const;

test.each(["bullseye-kernel", "trixie-kernel"] as const)(
  "%s supports a gate's life with both backends",
  async (kind) => {
    const lab = await openLab({ hosts: 0, bootedHosts: 1, bootedInit: kind, clients: 2 });
    try {
      const host = findBooted(lab);
      for (const backend of ["nftables", "iptables"] as const) await play(lab, host, kind, backend);
    } finally {
      await lab.close();
    }
  },
);

async function play(
  lab: Lab,
  host: BootedHost,
  kind: keyof typeof kernelRows,
  backend: keyof typeof modules,
): Promise<void> {
  const life = beginLife(lab, host, backend, {
    undoAfterSeconds,
    deploy: () => openDeployment(connectionTo(lab, host, limits)),
  });
  const { old, changed } = life.policies;
  const versions = await describeVersions(host, backend);
  expect(await listLoaded(host, modules[backend])).toEqual([]);
  await life.change(old);
  expect(await listLoaded(host, modules[backend])).toEqual(modules[backend]);
  expect(await isLetIn(life.friend, host)).toBe(false);
  expect(await isLetIn(life.friend, host, oldSteps)).toBe(true);
  expect(await life.change(changed, old)).toContain("open doors stay open");
  await host.reboot({ how: "clean" });
  expect(await isLetIn(life.friend, host)).toBe(false);
  expect(await isLetIn(life.friend, host, oldSteps)).toBe(false);
  expect(await isLetIn(life.friend, host, newSteps)).toBe(true);
  expect(await listDrift(lab, host, changed, life.deploy)).toEqual([]);
  await life.remove(changed);
  expect(await isLetIn(life.stranger, host)).toBe(true);
  recordResult(kernelRows[kind][backend], {
    versions,
    result: `the kernel loaded ${modules[backend].join(", ")} and others on demand; the gate was back after the reboot`,
  });
}

/** Those of the modules that are loaded (proc_modules(5)). */
async function listLoaded(host: BootedHost, names: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await host.run(["cat", "/proc/modules"]);
  return names.filter((name) => new RegExp(`^${name} `, "m").test(stdout));
}
