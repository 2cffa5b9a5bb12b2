// node deploy.mjs FILE: up and destroy of what FILE declares, as an ES module and with the real engine.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { KnockGate } from "knockgate";

const args = JSON.parse(readFileSync(process.argv[2], "utf8"));
const backend = join(import.meta.dirname, "backend");
mkdirSync(backend);
const program = async () => {
  const { ruleset } = new KnockGate("edge", args);
  return { ruleset };
};
const stack = await LocalWorkspace.createOrSelectStack(
  { stackName: "esm", projectName: "esm", program },
  {
    workDir: import.meta.dirname,
    projectSettings: { name: "esm", runtime: "nodejs", backend: { url: `file://${backend}` } },
    envVars: { PULUMI_CONFIG_PASSPHRASE: "only for the test", PULUMI_SKIP_UPDATE_CHECK: "true" },
  },
);
const onOutput = (text) => process.stdout.write(text);
await stack.up({ onOutput, color: "never" });
await stack.destroy({ onOutput, color: "never" });
