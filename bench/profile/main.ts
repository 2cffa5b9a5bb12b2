// Shows where the time of a change on one host and of a fleet's first rollout goes, in the form of bench/PROFILE.md.
// usage: npm run profile -- [--hosts N] (default 50)
//        npm run profile -- --change     (only a change on one host)
//        npm run profile -- --promises   (only the table of docs/cost-of-a-change.md)
import { parseArgs } from "node:util";
import { makeDirectory, removeDirectory } from "../../lab/directory";
import { type Lab, openLab } from "../../lab/lab";
import { firstLine, readFacts } from "../facts";
import { renderTable } from "../table";
import { profileChange } from "./change";
import { tabulateHostCosts } from "./cost-table";
import { profileFleet } from "./fleet";

const { values } = parseArgs({
  options: {
    hosts: { type: "string", default: "50" },
    change: { type: "boolean", default: false },
    promises: { type: "boolean", default: false },
  },
});

async function main(): Promise<void> {
  if (values.promises) return showForOneHost(tabulateHostCosts);
  if (values.change) return showForOneHost(profileChange);
  const hosts = Number(values.hosts);
  if (!Number.isInteger(hosts) || hosts < 1)
    throw new Error(`--hosts: ${values.hosts} is no number of hosts`);
  const directory = makeDirectory();
  const lab = await openLab({ hosts });
  try {
    // First, because it needs hosts without a gate, and leaves them so.
    const fleet = await profileFleet(lab, directory);
    const change = await profileChange(lab);
    const facts = { ...readFacts(), pulumi: firstLine("pulumi", "version"), ssh: firstLine("ssh", "-V") };
    const head = renderTable(["profiled", "with"], Object.entries(facts));
    console.log([head, "## A change on one host", change, "## A fleet", fleet].join("\n\n"));
  } finally {
    await lab.close();
    removeDirectory(directory);
  }
}

async function showForOneHost(measure: (lab: Lab) => Promise<string>): Promise<void> {
  const lab = await openLab({ hosts: 1 });
  try {
    console.log(await measure(lab));
  } finally {
    await lab.close();
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
