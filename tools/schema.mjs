// node tools/schema.mjs FILE
// Writes the plugin's schema: the resources that `Offer` in src/pulumi/plugin/offer.ts lists, described by the comments there.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { root } from "./root.mjs";
import { renderExamples } from "./schema/examples.mjs";
import { readSecretNames } from "./schema/secret-names.mjs";
import { TypeReader } from "./schema/type-reader.mjs";

/** @typedef {import("./schema/type-reader.mjs").Property} Property */

const [target] = process.argv.slice(2);
if (target === undefined) {
  console.error("usage: node tools/schema.mjs FILE");
  process.exit(2);
}
writeFileSync(target, `${JSON.stringify(makeSchema(await readSecretNames()), null, 2)}\n`);

/** @param {readonly string[]} secretNames */
function makeSchema(secretNames) {
  const { version, description, license, keywords } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  const { checker, offer } = readOffer();
  const reader = new TypeReader(checker, secretNames);
  const components = readKind("components", true);
  const resources = readKind("resources", false);
  const types = [...reader.types].map(([token, { description, properties }]) => {
    return [token, { type: "object", description, ...listProperties(properties) }];
  });
  return {
    name: "knockgate",
    displayName: "Knockgate",
    version,
    description,
    keywords: [...keywords, "category/network", "kind/component"],
    license,
    meta: { moduleFormat: "(.*)" },
    language: {
      nodejs: { respectSchemaVersion: true },
      python: { respectSchemaVersion: true, pyproject: { enabled: true } },
      go: { respectSchemaVersion: true, generateResourceContainerTypes: true },
      csharp: { respectSchemaVersion: true },
    },
    types: Object.fromEntries(types),
    resources: { ...components, ...resources },
  };

  /**
   * @param {string} kind the name of a group in `Offer`
   * @param {boolean} isComponent
   */
  function readKind(kind, isComponent) {
    const entries = checker.getPropertiesOfType(memberOf(checker, offer, kind));
    return Object.fromEntries(
      entries.map((entry) => {
        const type = checker.getTypeOfSymbol(entry);
        const [inputs, outputs] = [memberOf(checker, type, "inputs"), memberOf(checker, type, "outputs")];
        const read = reader.readProperties(inputs);
        const { properties: inputProperties, required: requiredInputs } = listProperties(read, isComponent);
        const description = `${reader.describe(outputs.symbol, entry.name)}${renderExamples(entry.name)}`;
        const resource = { isComponent, description, inputProperties, requiredInputs };
        return [
          `knockgate:index:${entry.name}`,
          { ...resource, ...listProperties(reader.readProperties(outputs)) },
        ];
      }),
    );
  }
}

function readOffer() {
  const path = join(root, "src", "pulumi", "plugin", "offer.ts");
  const settings = ts.getParsedCommandLineOfConfigFile(
    join(root, "tsconfig.build.json"),
    {},
    /** @type {ts.ParseConfigFileHost} */ (/** @type {unknown} */ (ts.sys)),
  );
  const program = ts.createProgram([path], settings?.options ?? {});
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(path);
  const declared = source?.statements.find(
    (one) => ts.isInterfaceDeclaration(one) && one.name.text === "Offer",
  );
  if (declared === undefined) throw new Error(`schema: ${path} declares no interface Offer`);
  return { checker, offer: checker.getTypeAtLocation(declared) };
}

/** @param {ts.TypeChecker} checker @param {ts.Type} type @param {string} name */
function memberOf(checker, type, name) {
  const member = type.getProperty(name);
  if (member === undefined) throw new Error(`schema: ${type.symbol.name} has no ${name}`);
  return checker.getTypeOfSymbol(member);
}

/**
 * @param {readonly Property[]} properties
 * @param {boolean} [marksPlain] marks bare values as plain: only a component's inputs may be such values
 */
function listProperties(properties, marksPlain = false) {
  const listed = properties.map(({ name, spec, isPlain }) => {
    return [name, marksPlain && isPlain ? { ...spec, plain: true } : spec];
  });
  const required = properties.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  return { properties: Object.fromEntries(listed), required };
}
