// What each kind of program does with the package, with mocks instead of an engine. Prints the result.
module.exports = async function show({ KnockGate, randomSequence }, pulumi, importer) {
  const seen = [];
  const newResource = ({ type, name, inputs }) => {
    seen.push(type);
    return { id: name, state: { ...inputs, ruleset: "table" } };
  };
  await pulumi.runtime.setMocks({ newResource, call: () => ({}) });
  const steps = randomSequence({ seed: "a seed of at least 16", policy: "edge" });
  const gate = new KnockGate("edge", {
    connection: { host: "203.0.113.7", privateKey: "a key" },
    policy: { name: "edge", gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }] },
  });
  await new Promise((resolve) => gate.ruleset.apply(resolve));
  const provider = await importer("knockgate/provider");
  console.log(JSON.stringify({ seen, provider: typeof provider.check, steps: steps.length }));
};
