import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../root.mjs";

/** The programs in examples/ that show a resource, by language. */
const shown = {
  KnockGate: {
    title: "One host",
    programs: [
      { language: "typescript", path: "single-host/index.ts" },
      { language: "python", path: "python/__main__.py" },
      { language: "yaml", path: "yaml/Pulumi.yaml" },
    ],
  },
  KnockFleet: {
    title: "Many hosts, a canary first",
    programs: [{ language: "typescript", path: "fleet-canary/index.ts" }],
  },
};

/**
 * Returns the section of examples that ends a resource's description.
 * @param {string} name of the resource
 */
export function renderExamples(name) {
  const { title, programs } = shown[/** @type {keyof typeof shown} */ (name)] ?? {};
  if (programs === undefined) return "";
  const blocks = programs.map(({ language, path }) => {
    const text = readFileSync(join(root, "examples", path), "utf8").trimEnd();
    return `\`\`\`${language}\n${text}\n\`\`\``;
  });
  const lines = [`{{% example %}}`, `### ${title}`, "", blocks.join("\n"), "{{% /example %}}"];
  return `\n\n{{% examples %}}\n## Example Usage\n${lines.join("\n")}\n{{% /examples %}}\n`;
}
