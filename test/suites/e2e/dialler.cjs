// A resource that dials a host at every operation, as those of @pulumi/command do. Plain JavaScript, because the engine
// gets a provider as the source text of its functions.
const pulumi = require("@pulumi/pulumi");

/** Fails with the message of Go's net package when nothing answers. */
function dial(host) {
  return new Promise((resolve, reject) => {
    const socket = require("node:net").connect({ host, port: 22 });
    const fail = () => reject(new Error(`dial tcp ${host}:22: i/o timeout`));
    const timer = setTimeout(() => {
      socket.destroy();
      fail();
    }, 700);
    socket.once("data", () => {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    });
    socket.once("error", () => {
      clearTimeout(timer);
      fail();
    });
  });
}

/** Waits, the first time only, until the door that was opened for this operation is closed again. */
function comeLate({ host, lateOnce }) {
  const { existsSync, writeFileSync } = require("node:fs");
  if (lateOnce === undefined || existsSync(lateOnce)) return Promise.resolve();
  writeFileSync(lateOnce, host);
  return new Promise((resolve) => setTimeout(resolve, 4_000));
}

const provider = {
  async create(inputs) {
    await comeLate(inputs);
    await dial(inputs.host);
    return { id: "dialled", outs: inputs };
  },
  async update(_id, _olds, news) {
    await comeLate(news);
    await dial(news.host);
    return { outs: news };
  },
  async delete(_id, props) {
    await dial(props.host);
  },
};

class Dialler extends pulumi.dynamic.Resource {
  constructor(name, props, opts) {
    super(provider, name, props, opts);
  }
}

module.exports = { Dialler };
