// A stand-in for Pulumi's language host for Node, which no registry has. Like that one, it runs a project's program by
// the SDK's own cmd/run.
const { spawn } = require("node:child_process");
const { createRequire } = require("node:module");
const { join } = require("node:path");
const grpc = require("@grpc/grpc-js");
const { LanguageRuntimeService } = require("@pulumi/pulumi/proto/language_grpc_pb");
const answers = require("@pulumi/pulumi/proto/language_pb");
const { PluginInfo } = require("@pulumi/pulumi/proto/plugin_pb");

/** The exit code of a program that has told the user what is wrong. */
const toldCode = 32;
const engine = process.argv.at(-1);

const server = new grpc.Server();
server.addService(LanguageRuntimeService, {
  handshake: (_call, answer) => answer(null, new answers.LanguageHandshakeResponse()),
  getPluginInfo: (_call, answer) => answer(null, new PluginInfo()),
  getRequiredPackages: (_call, answer) => answer(null, new answers.GetRequiredPackagesResponse()),
  getRequiredPlugins: (_call, answer) => answer(null, new answers.GetRequiredPluginsResponse()),
  run: ({ request }, answer) => runProgram(request, (response) => answer(null, response)),
});
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  console.log(port);
});

function runProgram(request, finish) {
  const info = request.getInfo();
  const runner = createRequire(join(info.getProgramDirectory(), "none.js")).resolve("@pulumi/pulumi/cmd/run");
  const options = {
    monitor: request.getMonitorAddress(),
    engine,
    organization: request.getOrganization(),
    project: request.getProject(),
    "root-directory": info.getRootDirectory(),
    stack: request.getStack(),
    pwd: request.getPwd(),
    parallel: request.getParallel(),
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  if (request.getDryrun()) args.push("--dry-run");
  const env = {
    ...process.env,
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().getEntryList())),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    PULUMI_NODEJS_TYPESCRIPT: "true",
  };
  const stdio = ["ignore", "inherit", "inherit"];
  const child = spawn(process.execPath, [runner, ...args, info.getEntryPoint()], { env, stdio });
  child.once("close", (code, signal) => {
    const response = new answers.RunResponse();
    if (code === toldCode) response.setBail(true);
    else if (code !== 0) response.setError(`the program ended with ${code ?? signal}`);
    finish(response);
  });
}
