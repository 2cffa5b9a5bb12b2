import { expect, test, vi } from "vitest";
import { openLab } from "../../../lab/lab";
import { findBooted } from "../systemd/booted";
import { playBootedLife } from "./booted-life";
import { type Act, acts, backends, findReleaseRow, type Release, releases } from "./release-rows";
import { recordResult } from "./row";

/** Makes a test of a gate's life for each Debian and each backend. Each has a host of its own. */
export function testReleases(chosen: readonly Release[]): void {
  const cases = chosen.flatMap((release) =>
    backends.map((backend) => [releases[release], backend, release] as const),
  );
  vi.setConfig({ maxConcurrency: 2, testTimeout: 400_000 });

  test.concurrent.each(cases)("%s supports a gate's whole life with %s", async (_, backend, release) => {
    const lab = await openLab({ hosts: 0, bootedHosts: 1, bootedInit: release, clients: 3 });
    const passed: Act[] = [];
    try {
      await playBootedLife(lab, findBooted(lab), backend, (act, result) => {
        passed.push(act);
        recordResult(findReleaseRow(release, backend, act), result);
      });
      expect(passed).toEqual(Object.keys(acts));
    } finally {
      await lab.close();
    }
  });
}
