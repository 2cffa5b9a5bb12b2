import { describe, expect, test } from "vitest";
import { KnockgateError } from "../../../../src/errors";
import { planFleet } from "../../../../src/pulumi/fleet/plan";

const policy = { name: "edge", gates: [] };
const hosts = { b: {}, a: {}, c: {} };

/** The places of what is wrong and the rules, with the messages. */
function find(args: object): readonly string[] {
  try {
    planFleet("web", args);
  } catch (error) {
    if (!(error instanceof KnockgateError)) throw error;
    expect(error.code).toBe("ARGUMENTS_INVALID");
    const [title, ...lines] = error.summary.split("\n");
    expect(title).toBe("fleet web is not valid; nothing was contacted:");
    for (const line of lines) expect(line).toMatch(/^\S+: .+ Fix: .+\. \[[a-z-]+\]$/);
    return lines.map((line) => line.replace(/^(\S+): .* \[(.+)\]$/, "$1 $2"));
  }
  return [];
}

describe("a fleet that is right", () => {
  test("has its rollout and waves, hosts in the order that they are given in", () => {
    const plan = planFleet("web", { hosts, policy, rollout: { waves: [{ count: 2 }], maxFailures: 1 } });
    expect(plan.waves).toEqual([["b", "a"], ["c"]]);
    expect(plan.rollout).toMatchObject({ maxFailures: 1, onFailure: "halt" });
    expect(planFleet("web", { hosts, policy }).waves).toEqual([["b", "a", "c"]]);
  });

  test("has a policy for the group of each host", () => {
    const grouped = { a: { group: "front" }, b: { group: "back" } };
    expect(find({ hosts: grouped, policies: { front: policy, back: policy, spare: policy } })).toEqual([]);
  });

  test.each(["a", "9", "A.b_c-d", "203.0.113.7"])("may have a host called %s", (name) => {
    expect(find({ hosts: { [name]: {} }, policy })).toEqual([]);
  });
});

describe("a fleet that is wrong", () => {
  test.each<readonly [string, object, readonly string[]]>([
    ["no host", { hosts: {}, policy }, ["hosts fleet-hosts"]],
    [
      "names that no resource can have",
      { hosts: { "": {}, "-a": {}, "a::b": {}, ä: {}, a: {} }, policy },
      ["hosts[0] fleet-hosts", "hosts[1] fleet-hosts", "hosts[2] fleet-hosts", "hosts[3] fleet-hosts"],
    ],
    ["no policy", { hosts }, ["policy fleet-policy"]],
    ["nothing", {}, ["hosts fleet-hosts", "policy fleet-policy"]],
    ["words for hosts", { hosts: "a, b", policy }, ["hosts fleet-hosts"]],
    ["a list of hosts", { hosts: [{}], policy }, ["hosts fleet-hosts"]],
    [
      "hosts that are none",
      { hosts: { a: "a", b: null, c: [] }, policy },
      ["hosts.a fleet-hosts", "hosts.b fleet-hosts", "hosts.c fleet-hosts"],
    ],
    ["words for policies", { hosts, policies: "edge" }, ["policies fleet-policy"]],
    [
      "a group that is no text",
      { hosts: { a: { group: 7 } }, policies: { front: policy } },
      ["hosts.a.group fleet-group"],
    ],
    ["an argument that is not known", { hosts, policy, undoAfter: 5 }, ["fleet arguments-shape"]],
    [
      "a field of a host that is not known",
      { hosts: { a: { adress: "a" } }, policy },
      ["hosts.a arguments-shape"],
    ],
    [
      "a field of the rollout that is not known",
      { hosts, policy, rollout: { wave: [] } },
      ["rollout rollout-shape"],
    ],
    ["a policy beside policies", { hosts, policy, policies: { a: policy } }, ["policy fleet-policy"]],
    [
      "a host without a group, and one of an unknown one",
      { hosts: { a: {}, b: { group: "frnt" }, c: { group: "front" } }, policies: { front: policy } },
      ["hosts.a.group fleet-group", "hosts.b.group fleet-group"],
    ],
    [
      "a group that says nothing",
      { hosts: { a: { group: "front" } }, policy },
      ["hosts.a.group fleet-group"],
    ],
    [
      "a wave of a host that it does not have",
      { hosts, policy, rollout: { waves: [{ hosts: ["d"] }] } },
      ["rollout.waves[0].hosts[0] wave-host"],
    ],
    [
      "everything at once",
      {
        hosts: { "a/b": {}, c: { group: "x" } },
        policies: { front: policy },
        rollout: { waves: [{}], onFailure: "ignore" },
      },
      [
        "hosts[0] fleet-hosts",
        "hosts.c.group fleet-group",
        "rollout.onFailure rollout-shape",
        "rollout.waves[0] wave-choice",
      ],
    ],
  ])("says so: %s", (_what, args, expected) => {
    expect(find(args)).toEqual(expected);
  });

  test("is told which name was meant, and nothing of the wrong one's value", () => {
    const hidden = { "tcp:17411": null, Pass17411: "sesame" };
    const args = {
      hosts: { a: { ...hidden, polcy: {} }, "tcp:17411": null },
      policy,
      ...hidden,
      undoAfter: 5,
      rollout: { maxFailure: 1, ...hidden },
    };
    const failure = (() => {
      try {
        return `${planFleet("web", args)}`;
      } catch (error) {
        return `${error}`;
      }
    })();
    for (const meant of ["undoAfterSeconds", "policy", "maxFailures"]) expect(failure).toContain(meant);
    expect(failure).not.toMatch(/17411|sesame/);
  });

  test("is told which groups there are", () => {
    const args = { hosts: { a: {} }, policies: { front: policy, back: policy } };
    expect(() => planFleet("web", args)).toThrow("Set it to one of: front, back.");
  });
});
