import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import ts from "typescript";
import type * as knockFleet from "../../../src/pulumi/fleet/knock-fleet";
import type * as knockGate from "../../../src/pulumi/gate/knock-gate";

const root = join(__dirname, "..", "..", "..");

export interface Compiled {
  readonly KnockGate: typeof knockGate.KnockGate;
  readonly KnockFleet: typeof knockFleet.KnockFleet;
  remove(): void;
}

/**
 * Loads the components as the package's build compiles them. The engine gets a provider as the source text of its
 * functions, and vitest would rewrite the imports in them. Compiles only the imported files, and checks no types: a
 * whole build takes seconds.
 */
export function loadCompiled(): Compiled {
  const folder = mkdtempSync(join(tmpdir(), "knockgate-compiled-"));
  const entries = ["pulumi/gate/knock-gate", "pulumi/fleet/knock-fleet"];
  compileAll(entries, folder, readOptions());
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const load = createRequire(join(folder, "index.js"));
  const { KnockGate }: typeof knockGate = load("./pulumi/gate/knock-gate.js");
  const { KnockFleet }: typeof knockFleet = load("./pulumi/fleet/knock-fleet.js");
  return { KnockGate, KnockFleet, remove: () => rmSync(folder, { recursive: true }) };
}

function readOptions(): ts.CompilerOptions {
  const path = join(root, "tsconfig.build.json");
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined };
  const parsed = ts.getParsedCommandLineOfConfigFile(path, {}, host);
  if (parsed === undefined || parsed.errors.length > 0) throw new Error(`${path} can't be read`);
  return parsed.options;
}

/** @param modules paths below `src`, without an ending */
function compileAll(modules: readonly string[], folder: string, compilerOptions: ts.CompilerOptions): void {
  const found = new Set(modules);
  for (const module of found) {
    const fileName = join(root, "src", `${module}.ts`);
    const { outputText } = ts.transpileModule(readFileSync(fileName, "utf8"), { compilerOptions, fileName });
    const file = join(folder, `${module}.js`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, outputText);
    for (const [, path = ""] of outputText.matchAll(/require\("(\.[^"]+)\.js"\)/g)) {
      found.add(normalize(join(dirname(module), path)));
    }
  }
}
