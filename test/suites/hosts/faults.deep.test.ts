// The matrix of faults (docs/faults.md) on the oldest and the newest Debian.
import { afterAll, describe, vi } from "vitest";
import { openLab } from "../../../lab/lab";
import { isWhole, testMatrix } from "../faults/play-matrix";
import { describeVersions } from "./booted-life";
import { faultRows } from "./release-rows";
import { recordResult } from "./row";

vi.setConfig({ maxConcurrency: 5, testTimeout: 600_000, hookTimeout: 600_000 });

describe.each(["bullseye", "sid"] as const)("the matrix of faults on %s", (debian) => {
  const listPlayed = testMatrix(debian);

  afterAll(async () => {
    const played = listPlayed();
    if (!isWhole || played.some(({ runs }) => runs.length === 0)) return;
    const lab = await openLab({ hosts: 0, bootedHosts: 1, bootedInit: debian });
    try {
      const versions = [];
      for (const host of lab.bootedHosts) versions.push(await describeVersions(host, "nftables"));
      const longest = Math.max(
        ...played.flatMap(({ runs }) => runs.map(({ unsafeSeconds }) => unsafeSeconds)),
      );
      const result = `all ${played.length} rows end as on Debian 12; the longest time until safe was ${longest.toFixed(1)} s`;
      recordResult(faultRows[debian], { versions: versions.join(", "), result });
    } finally {
      await lab.close();
    }
  });
});
