// node load-program.cjs PROJECT_FOLDER MAIN: loads a TypeScript program as Pulumi's language host does
// (@pulumi/pulumi/cmd/run/run.js), with mocks in place of an engine, and prints the names of its outputs.
const { join } = require("node:path");

const [folder, main] = process.argv.slice(2);
process.chdir(folder);
const sdk = join(__dirname, "..", "..", "node_modules", "@pulumi", "pulumi");
const { loadTypeScriptCompilerOptions, typeScriptRequireStrings } = require(join(sdk, "tsutils"));
const { tsnodeRequire, typescriptRequire } = typeScriptRequireStrings();
require(tsnodeRequire).register({
  compiler: typescriptRequire,
  project: "tsconfig.json",
  skipProject: false,
  compilerOptions: {
    target: "ES2020",
    module: "nodenext",
    moduleResolution: "nodenext",
    sourceMap: "true",
    ...loadTypeScriptCompilerOptions("tsconfig.json"),
  },
});
const pulumi = require(sdk);
const mocks = { newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: () => ({}) };
pulumi.runtime.setMocks(mocks, "knockgate-single-host", "test", true);
pulumi.runtime.setAllConfig({
  "knockgate-single-host:host": "203.0.113.7",
  "knockgate-single-host:hostKey": "ssh-ed25519 AAAA",
  "knockgate-single-host:privateKey": "a key",
  "knockgate-single-host:steps": '[{"tcp":7000}]',
});
console.log(Object.keys(require(join(folder, main))).join(" "));
