// Makes everything that `npm run demo`, `npm test` and `npm run check` need. Each of them starts with it.
// --packages: only the npm packages, which are all that `npm run check` needs: no root, and no Debian.
// --rootfs: also the root file systems of the tests' hosts that boot or have another Debian's tools, and the other
// Nodes that tests run on. With KNOCKGATE_DEEP=1 also all other root file systems, what runs programs in Python and YAML,
// and other package managers.
// --scale, or KNOCKGATE_DEEP=1: also the PostgreSQL server that `npm run scale -- --backend postgres` starts.
// --bench: also the other port knockers and the Ansible that `npm run bench` measures.
import { obtainAnsible } from "./setup/ansible.mjs";
import { installDebianPackages } from "./setup/debian.mjs";
import { obtainDeployers } from "./setup/deployers.mjs";
import { SetupFailure } from "./setup/failure.mjs";
import { obtainNodes } from "./setup/nodes.mjs";
import { installNpmPackages } from "./setup/npm.mjs";
import { obtainPulumiCli } from "./setup/obtain-pulumi.mjs";
import { installPeers } from "./setup/peers.mjs";
import { installPostgres } from "./setup/postgres.mjs";
import { CommandFailure, lastLines, say } from "./setup/progress.mjs";
import { readCliVersion } from "./setup/pulumi-cli.mjs";
import { obtainPython } from "./setup/python.mjs";
import { obtainRootfs } from "./setup/rootfs.mjs";
import { allRootfs } from "./setup/rootfs-place.mjs";

const oldestNode = 20;

try {
  requireNode();
  await installNpmPackages();
  if (!process.argv.includes("--packages")) await installRest();
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}

async function installRest() {
  await installDebianPackages();
  // If the CLI must be compiled, that takes minutes. To build a Debian is mostly waiting.
  const [cli] = await Promise.all([
    obtainPulumiCli(),
    process.argv.includes("--rootfs") ? obtainMachines() : undefined,
  ]);
  if (process.argv.includes("--scale") || process.env.KNOCKGATE_DEEP === "1") await installPostgres();
  if (process.argv.includes("--bench")) {
    await installPeers();
    await obtainAnsible();
  }
  say(`ready: Node ${process.versions.node}, npm packages, commands, Pulumi ${readCliVersion(cli)} (${cli})`);
}

async function obtainMachines() {
  await obtainNodes();
  await obtainRootfs(["systemd", "bullseye", "sid"]);
  if (process.env.KNOCKGATE_DEEP !== "1") return;
  await obtainRootfs(allRootfs);
  await obtainPython();
  await obtainDeployers();
}

function requireNode() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major >= oldestNode) return;
  throw new SetupFailure(`Node ${process.versions.node} is too old`, [`install Node ${oldestNode} or newer`]);
}

/** @param {unknown} error */
function explain(error) {
  if (error instanceof SetupFailure) {
    const remedies = error.remedies.map((remedy) => `  -> ${remedy}`);
    return [`setup: failed: ${error.message}`, ...remedies].join("\n");
  }
  if (error instanceof CommandFailure) {
    return `setup: failed: ${error.message}\n${lastLines(error.output, 15)}`;
  }
  return error;
}
