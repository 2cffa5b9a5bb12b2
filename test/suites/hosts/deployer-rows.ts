import type { HostRow } from "./row";

/** A user's project, and the machine on which its user runs Pulumi. */
export interface DeployerRow extends HostRow {
  readonly node: 20 | 22 | 24;
  readonly manager: "npm" | "pnpm 10" | "pnpm 12" | "yarn 1" | "yarn 4" | "bun";
  readonly template: keyof typeof templates;
  /** The newest is in Pulumi's peer range; the oldest is the one of Pulumi's SDK's own types. */
  readonly typescript: "5.4" | "5.9" | "6.0";
  /** The version of @pulumi/pulumi that the user names. Absent: the package manager chooses. */
  readonly sdk?: string;
}

/** What `pulumi new typescript` makes: package.json's `type` and tsconfig.json's modules. */
export const templates = {
  // As it was made before March 2026.
  commonjs: { type: undefined, modules: { module: "commonjs", moduleResolution: "node" } },
  nodenext: { type: undefined, modules: { module: "nodenext", moduleResolution: "nodenext" } },
  ESM: { type: "module", modules: { module: "nodenext", moduleResolution: "nodenext" } },
} as const;

type Choice = Pick<DeployerRow, "node" | "manager" | "template" | "typescript" | "sdk">;

/** Each value of each choice at least once. */
const choices: readonly Choice[] = [
  { node: 20, manager: "npm", template: "commonjs", typescript: "5.4" },
  { node: 20, manager: "pnpm 10", template: "nodenext", typescript: "6.0", sdk: "3.219.0" },
  { node: 20, manager: "yarn 1", template: "ESM", typescript: "5.9", sdk: "3.248.0" },
  { node: 22, manager: "pnpm 10", template: "ESM", typescript: "5.9" },
  { node: 22, manager: "bun", template: "nodenext", typescript: "6.0" },
  { node: 22, manager: "yarn 1", template: "commonjs", typescript: "5.9" },
  { node: 24, manager: "npm", template: "ESM", typescript: "6.0" },
  { node: 24, manager: "yarn 4", template: "nodenext", typescript: "5.4" },
  { node: 24, manager: "pnpm 12", template: "commonjs", typescript: "6.0" },
];

function nameRow(choice: Choice): DeployerRow {
  const { node, manager, template, typescript, sdk } = choice;
  const named = sdk === undefined ? "" : `, @pulumi/pulumi ${sdk} by name`;
  const linker = manager === "yarn 4" ? " with nodeLinker: node-modules" : "";
  return {
    ...choice,
    id: `deployer-node${node}-${manager.replace(" ", "")}-${template}-${typescript}`
      .toLowerCase()
      .replace(".", ""),
    section: "Deployers",
    on: `Node ${node}, ${manager}${linker}, ${template} template, TypeScript ${typescript}${named}`,
    act: "install, compile, one `up`, destroy",
  };
}

export const projectRows: readonly DeployerRow[] = choices.map(nameRow);

export const yamlRow: HostRow = {
  id: "deployer-yaml",
  section: "Deployers",
  on: "YAML, pulumi-language-yaml 1.25.0",
  act: "preview, up, destroy of examples/yaml",
};

export const deployerRows: readonly HostRow[] = [...projectRows, yamlRow];
