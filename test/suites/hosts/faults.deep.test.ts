// The matrix of faults (docs/faults.md) on the oldest and the newest Debian.
import { afterAll, describe, vi } from "vitest";
import { openLab } from "../../../lab/lab";
import { listRows } from "../faults/matrix";
import { testMatrix } from "../faults/play-matrix";
import { describeVersions } from "./booted-life";
import { addPassed } from "./played-faults";
import { faultRows } from "./release-rows";
import { recordResult } from "./row";

vi.setConfig({ maxConcurrency: 5, testTimeout: 600_000, hookTimeout: 600_000 });

describe.each(["bullseye", "sid"] as const)("the matrix of faults on %s", (debian) => {
  const listPlayed = testMatrix(debian);

  afterAll(async () => {
    const passed = addPassed(faultRows[debian].id, listPlayed());
    const rows = listRows(debian).map(({ id }) => passed[id]);
    const seconds = rows.filter((one) => one !== undefined);
    if (seconds.length < rows.length) return;
    const lab = await openLab({ hosts: 0, bootedHosts: 1, bootedInit: debian });
    try {
      const versions = [];
      for (const host of lab.bootedHosts) versions.push(await describeVersions(host, "nftables"));
      const longest = Math.max(...seconds).toFixed(1);
      const result = `all ${rows.length} rows end as on Debian 12; the longest time until safe was ${longest} s`;
      recordResult(faultRows[debian], { versions: versions.join(", "), result });
    } finally {
      await lab.close();
    }
  });
});
