import { describe, expect, test } from "vitest";
import { readPolicy } from "../../../../src/pulumi/ruleset/read-policy";

const policy = (name: string, port = 41_003) => ({
  name,
  gates: [
    {
      name: "ssh",
      protect: [{ tcp: 22 }],
      knock: { steps: [{ tcp: port }, { udp: 52_114 }, { tcp: 43_225 }] },
    },
  ],
});

function expectPolicy(raw: unknown) {
  const reading = readPolicy(raw);
  if (reading.kind !== "policy") throw new Error(JSON.stringify(reading.findings));
  return reading.policy;
}

describe("a policy that the engine sends for many hosts", () => {
  test("is one policy, so that what is made of it is made once", () => {
    expect(expectPolicy(policy("edge"))).toBe(expectPolicy(structuredClone(policy("edge"))));
  });

  test.each([
    ["another name", policy("other")],
    ["another step", policy("edge", 41_004)],
    ["a field more", { ...policy("edge"), scope: "forward" }],
    ["an unknown field", { ...policy("edge"), scoop: "input" }],
    ["addresses that are refused", { ...policy("edge"), denyFrom: ["10.0.0.0/8"] }],
  ])("is another one with %s", (_what, other) => {
    expect(readPolicy(other)).not.toBe(readPolicy(policy("edge")));
    expect(readPolicy(other)).toEqual(readPolicy(structuredClone(other)));
  });

  test("that is wrong, has its findings each time", () => {
    const [one, again] = [readPolicy({ name: "E" }), readPolicy({ name: "E" })];
    expect(one.kind).toBe("wrong");
    expect(again).toEqual(one);
  });

  test("is forgotten behind eight others", () => {
    const first = expectPolicy(policy("first"));
    for (let index = 0; index < 7; index += 1) readPolicy(policy(`p${index}`));
    expect(expectPolicy(policy("first"))).toBe(first);
    for (let index = 0; index < 8; index += 1) readPolicy(policy(`p${index}`));
    expect(expectPolicy(policy("first"))).not.toBe(first);
  });

  test("may be missing", () => {
    expect(readPolicy(undefined).kind).toBe("wrong");
    expect(readPolicy(null).kind).toBe("wrong");
  });
});
