import { existsSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { type InlineProgramArgs, LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";

const root = join(__dirname, "..");

/**
 * Opens a stack of the real engine whose file backend is below `directory`, and makes it if it does not exist. Its
 * project folder sees the packages of this checkout, knockgate itself among them, as a user's project sees what npm
 * installed.
 */
export async function openStack(
  directory: string,
  program: InlineProgramArgs["program"],
  stackName = "lab",
  /** Folders of plugins by the package's name, as a user's Pulumi.yaml has them. */
  packages: Readonly<Record<string, string>> = {},
): Promise<Stack> {
  const workDir = join(directory, "project");
  const backend = join(directory, "backend");
  await mkdir(workDir, { recursive: true });
  await mkdir(backend, { recursive: true });
  if (!existsSync(join(workDir, "node_modules"))) {
    await symlink(join(root, "node_modules"), join(workDir, "node_modules"));
  }
  const project = {
    name: "knockgate-lab",
    runtime: "nodejs",
    backend: { url: `file://${backend}` },
  } as const;
  // The type of the settings lacks packages; the engine knows them.
  const projectSettings = { ...project, packages };
  return LocalWorkspace.createOrSelectStack(
    { stackName, projectName: "knockgate-lab", program },
    {
      workDir,
      projectSettings,
      envVars: { PULUMI_CONFIG_PASSPHRASE: "only for the lab", PULUMI_SKIP_UPDATE_CHECK: "true" },
    },
  );
}
