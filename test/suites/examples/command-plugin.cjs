// Stands in for @pulumi/command's plugin, which is not available everywhere that the tests run. Does over real SSH what
// that plugin does for remote.Command and remote.CopyToRemote, and dials like it: without a knock, and again and again
// until its time is over. Plain JavaScript, because the engine starts it.
const { setTimeout: pause } = require("node:timers/promises");
const { main } = require("@pulumi/pulumi/provider");
const { Client, utils } = require("ssh2");

const signature = "4dabf18193072939515e22adb298388d";

/** Takes the marks off secrets. An asset stays as it is. */
function reveal(value) {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(reveal);
  if ("value" in value && signature in value) return reveal(value.value);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, reveal(inner)]));
}

function dialOnce({ host, port = 22, user = "root", privateKey, hostKey }) {
  return new Promise((resolve, reject) => {
    const client = new Client();
    client.once("ready", () => resolve(client));
    client.once("error", (error) => {
      client.end();
      reject(new Error(`dial tcp ${host}:${port}: ${error.message}`));
    });
    const expected = utils.parseKey(hostKey).getPublicSSH();
    const hostVerifier = (key) => key.equals(expected);
    client.connect({ host, port, username: user, privateKey, hostVerifier, readyTimeout: 1_000 });
  });
}

async function dial(connection) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await dialOnce(connection);
    } catch (error) {
      if (attempt === 2) throw error;
      await pause(100);
    }
  }
}

async function withHost(connection, use) {
  const client = await dial(connection);
  try {
    return await use(client);
  } finally {
    client.end();
  }
}

function run(connection, command) {
  if (command === undefined) return { stdout: "", stderr: "" };
  return withHost(
    connection,
    (client) =>
      new Promise((resolve, reject) => {
        client.exec(command, (error, channel) => {
          if (error) return reject(error);
          const said = { stdout: "", stderr: "" };
          channel.on("data", (text) => (said.stdout += text));
          channel.stderr.on("data", (text) => (said.stderr += text));
          channel.on("close", (code) =>
            code === 0
              ? resolve({ ...said, stdout: said.stdout.replace(/\n$/, "") })
              : reject(new Error(`Process exited with status ${code}`)),
          );
        });
      }),
  );
}

function copy({ connection, source, remotePath }) {
  return withHost(
    connection,
    (client) =>
      new Promise((resolve, reject) => {
        client.sftp((error, sftp) => {
          if (error) return reject(error);
          sftp.writeFile(remotePath, source.text, (failure) => (failure ? reject(failure) : resolve()));
        });
      }),
  );
}

async function change(urn, properties, command) {
  const inputs = reveal(properties);
  if (urn.includes("::command:remote:CopyToRemote::")) {
    await copy(inputs);
    return properties;
  }
  return { ...properties, ...(await run(inputs.connection, command(inputs))) };
}

const provider = {
  version: "1.2.1",
  async create(urn, properties) {
    return { id: "made", outs: await change(urn, properties, (inputs) => inputs.create) };
  },
  async update(_id, urn, _olds, news) {
    return { outs: await change(urn, news, (inputs) => inputs.update ?? inputs.create) };
  },
  // A copied file stays there.
  async delete(_id, urn, properties) {
    const inputs = reveal(properties);
    if (urn.includes("::command:remote:Command::")) await run(inputs.connection, inputs.delete);
  },
};

main(provider, process.argv.slice(2));
