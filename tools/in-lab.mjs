// node tools/in-lab.mjs COMMAND ARGS...
// Runs a command in network, mount and process namespaces of its own: "the outside", where the deployer of the tests
// and the demo lives. Hosts are further namespaces made from there. All of it ends with the command.
import { delimiter, join } from "node:path";
import { runInForeground } from "./foreground.mjs";
import { root } from "./root.mjs";
import { administratorFolders } from "./setup/commands.mjs";
import { pulumiEnvironment } from "./setup/pulumi-cli.mjs";

const command = process.argv.slice(2);
if (command.length === 0) fail("usage: node tools/in-lab.mjs COMMAND ARGS...");
if (process.platform !== "linux") fail("in-lab: needs Linux's namespaces -> run it on a Linux machine");
if (process.geteuid?.() !== 0) {
  fail("in-lab: making network namespaces needs root -> run the same command as root, e.g. with sudo");
}

// The CLI comes before node_modules/.bin, where the launcher has the same name.
const folders = [join(root, "node_modules", ".bin"), process.env.PATH ?? "", ...administratorFolders];
process.env.PATH = folders.join(delimiter);

// Everything below dies with us, even if we are killed: setpriv ties unshare to us, and --kill-child ties the rest to
// it.
const tied = ["--pdeathsig", "KILL", "unshare", "--kill-child"];
const namespaces = ["--net", "--mount", "--propagation", "private", "--pid", "--fork", "--mount-proc"];
// The shell stays as process 1: it reaps orphans, and process 1 never gets a signal for which it has no handler.
const init = ["sh", "-c", 'ip link set lo up && "$@"; exit $?', "sh"];
process.exitCode = await runInForeground("setpriv", [...tied, ...namespaces, "--", ...init, ...command], {
  env: pulumiEnvironment(),
});

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message);
  process.exit(2);
}
