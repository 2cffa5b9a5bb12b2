// node load-program.cjs PROJECT_FOLDER PROGRAMS: loads TypeScript programs as Pulumi's language host does
// (@pulumi/pulumi/cmd/run/run.js) for a project in that folder, with mocks instead of an engine, and prints the names
// of each one's outputs. PROGRAMS is JSON: [{ "main": PATH, "config": {...} }, ...]; its keys have no project name.
const sdk = require.resolve("@pulumi/pulumi").replace(/index\.js$/, "");

const [folder, programs] = process.argv.slice(2);
process.chdir(folder);
const { loadTypeScriptCompilerOptions, typeScriptRequireStrings } = require(`${sdk}tsutils`);
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
// A name of examples/many-stacks, whose program declares the hosts of its stack.
pulumi.runtime.setMocks(mocks, "example", "web-1", true);
// The mocked engine does not support hooks.
const accept = (_request, answer) => answer(null, {});
Object.assign(pulumi.runtime.getMonitor(), { registerResourceHook: accept, registerErrorHook: accept });

for (const { main, config } of JSON.parse(programs)) {
  const entries = Object.entries(config).map(([key, value]) => [`example:${key}`, value]);
  pulumi.runtime.setAllConfig(Object.fromEntries(entries));
  console.log(Object.keys(require(main)).join(" "));
}
