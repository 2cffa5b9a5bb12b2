import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as knockGate from "../../src/pulumi/knock-gate";

const root = join(__dirname, "..", "..");

export interface Compiled {
  readonly KnockGate: typeof knockGate.KnockGate;
  remove(): void;
}

/**
 * Loads the component as the package's build compiles it. The engine gets a provider as the source text of its
 * functions, and vitest rewrites every import in them.
 */
export function loadCompiled(): Compiled {
  const folder = mkdtempSync(join(tmpdir(), "knockgate-compiled-"));
  const options = ["-p", "tsconfig.build.json", "--noCheck", "--declaration", "false", "--outDir", folder];
  const { status, stdout } = spawnSync(join(root, "node_modules", ".bin", "tsc"), options, {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`tsc: ${stdout}`);
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const { KnockGate }: typeof knockGate = createRequire(join(folder, "index.js"))("./pulumi/knock-gate.js");
  return { KnockGate, remove: () => rmSync(folder, { recursive: true }) };
}
