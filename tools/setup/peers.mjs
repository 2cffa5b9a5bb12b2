import { spawnSync } from "node:child_process";
import { installDebianPackages } from "./debian.mjs";
import { SetupFailure } from "./failure.mjs";
import { obtainLetmein } from "./letmein.mjs";

/** What Knockgate is compared with: the commands and the upstream version of each Debian package. */
const peers = {
  knockd: { commands: ["knockd", "knock"], version: "0.8" },
  "fwknop-server": { commands: ["fwknopd"], version: "2.6.10" },
  "fwknop-client": { commands: ["fwknop"], version: "2.6.10" },
};

/**
 * Installs the other port knockers: from Debian, stopped, and from crates.io. Refuses versions other than those that the
 * figures are of.
 */
export async function installPeers() {
  await installDebianPackages(
    Object.fromEntries(Object.entries(peers).map(([name, { commands }]) => [name, commands])),
  );
  for (const [name, { version }] of Object.entries(peers)) {
    const installed = readVersion(name);
    if (installed === version) continue;
    throw new SetupFailure(`${name} ${installed} is installed, but figures are measured against ${version}`, [
      "run the bench on Debian 12",
    ]);
  }
  await obtainLetmein();
}

/**
 * A package's upstream version: without Debian's epoch and revision.
 * @param {string} name
 */
function readVersion(name) {
  const { stdout } = spawnSync("dpkg-query", ["--show", `--showformat=\${Version}`, name], {
    encoding: "utf8",
  });
  return (stdout ?? "").replace(/^\d+:/, "").replace(/-[^-]*$/, "");
}
