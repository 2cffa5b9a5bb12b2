import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { root } from "../root.mjs";

/**
 * Reads from the source which names are secret. That module only imports types, so it runs without the others.
 * @returns {Promise<readonly string[]>}
 */
export async function readSecretNames() {
  const text = readFileSync(join(root, "src", "pulumi", "secrecy.ts"), "utf8");
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
  const { outputText } = ts.transpileModule(text, { compilerOptions });
  const { secretNames } = await import(`data:text/javascript,${encodeURIComponent(outputText)}`);
  return secretNames;
}
