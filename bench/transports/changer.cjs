// @ts-check
// Changes one host again and again by the operations of Knockgate's resource, in a process of plain Node, as the engine's
// provider is one. Each message from its parent is a resource's inputs; the answer is what the change to them cost.
const { check, create, update } = require("knockgate/provider");

/** @typedef {import("knockgate/provider").Properties} Properties */

/** @type {{ id: string, inputs: Properties, outs: Properties } | undefined} */
let resource;
let spent = process.cpuUsage();

process.on("message", (/** @type {Properties} */ inputs) => {
  const startedMs = performance.now();
  change(inputs).then(
    () => {
      const seconds = (performance.now() - startedMs) / 1_000;
      // Since the answer before: closing a connection takes time after the answer, too.
      const { user, system } = process.cpuUsage(spent);
      spent = process.cpuUsage();
      process.send?.({ seconds, ownSeconds: (user + system) / 1e6 });
    },
    (/** @type {Error} */ error) => {
      console.error(error.message);
      process.exit(1);
    },
  );
});

/** @param {Properties} given */
async function change(given) {
  const { inputs, failures } = await check(resource?.inputs ?? {}, given);
  if (failures.length > 0) throw new Error(JSON.stringify(failures));
  if (resource === undefined) resource = { inputs, ...(await create(inputs)) };
  else resource = { id: resource.id, inputs, outs: (await update(resource.id, resource.outs, inputs)).outs };
}
