import { describe, expect, test } from "vitest";
import { crossCheckConnection } from "../../../src/change/cross-check-connection";
import { formatFinding } from "../../../src/policy/finding";
import { unknownValue } from "../../../src/pulumi/unknown";

const ada = { name: "ada", key: `ada-${"4Kq9".repeat(10)}`, gates: ["ssh", "web"] };
const ben = { name: "ben", key: `ben-${"8Zt2".repeat(10)}`, gates: ["web"] };
const token = { udp: 62_201 };
const ssh = { name: "ssh", protect: [{ tcp: "20-22" }], knock: { token } };
const web = { name: "web", protect: [{ tcp: "443" }], knock: { token } };
const steps = { steps: [{ tcp: 47_001 }, { udp: 58_002 }] };
const team = { name: "edge", users: [ada, ben], gates: [web, ssh] };
const edge = { host: "edge.example.org", user: "root" };

const find = (policy: unknown, connection: unknown = edge) =>
  crossCheckConnection(policy, connection).map(({ path, rule }) => `${path} ${rule}`);

describe("a host's name", () => {
  test.each([
    "edge.example.org",
    "EDGE_1",
    "192.0.2.7",
    "2001:db8::7",
    "fe80::7%eth0",
    "xn--bcher-kva.example",
  ])("%s is one that tokens can be bound to", (host) => {
    expect(find(team, { host })).toEqual([]);
  });

  test.each(["bücher.example", "edge~1", "edge\u001b[2J", 'a"b'])("%j is not", (host) => {
    expect(find(team, { host })).toEqual(["connection.host token-host"]);
  });

  test("matters only to tokens", () => {
    expect(find({ ...team, gates: [{ ...ssh, knock: steps }] }, { host: "edge~1" })).toEqual([]);
  });

  test("is not shown, and the finding says what to do", () => {
    const [found] = crossCheckConnection(team, { host: "edge~1" }).map(formatFinding);
    expect(found).toMatch(/^connection\.host: has a character .*\. Fix: Use letters of ASCII/);
    expect(found).not.toContain("edge~1");
  });

  test("is left to the connection's own check if that refuses it, and may be unknown", () => {
    for (const host of ["a b", "", 7, undefined, unknownValue]) expect(find(team, { host })).toEqual([]);
    expect(find(unknownValue, unknownValue)).toEqual([]);
  });
});

describe("the user that deployAs names", () => {
  test("has to open the gate of the SSH port", () => {
    expect(find({ ...team, deployAs: "ada" })).toEqual([]);
    expect(find({ ...team, deployAs: "ben" })).toEqual(["policy.deployAs deploy-as-without-ssh"]);
    const [found] = crossCheckConnection({ ...team, deployAs: "ben" }, edge).map(formatFinding);
    expect(found).toContain('do not open gate "ssh"');
  });

  test("is asked about the port that the connection has", () => {
    expect(find({ ...team, deployAs: "ben" }, { ...edge, port: 443 })).toEqual([]);
    expect(find({ ...team, deployAs: "ben" }, { ...edge, port: 20 })).toHaveLength(1);
    expect(find({ ...team, deployAs: "ben" }, { ...edge, port: 2222 })).toEqual([]);
  });

  test.each<[string, object]>([
    ["nobody is named, so the first user of the gate passes", { users: [ben, ada] }],
    ["a sequence opens it", { gates: [web, { ...ssh, knock: steps }], deployAs: "ben" }],
    ["the user opens all gates", { users: [ada, { ...ben, gates: undefined }], deployAs: "ben" }],
    [
      "the user's prefixes are not the deployer's",
      { users: [{ ...ada, from: ["192.0.2.0/24"] }], deployAs: "ada" },
    ],
    ["the deployer may need no token", { allowFrom: ["192.0.2.0/24"], deployAs: "ben" }],
    ["the user is not there, which another rule says", { deployAs: "eve" }],
  ])("is right when %s", (_what, more) => {
    expect(find({ ...team, ...more })).toEqual([]);
  });

  test.each<[string, object, object?]>([
    ["the user's gates", { users: [ada, { ...ben, gates: unknownValue }] }],
    ["one of the user's gates", { users: [ada, { ...ben, gates: ["web", unknownValue] }] }],
    ["the users", { users: unknownValue }],
    ["the gate", { gates: [web, unknownValue] }],
    ["the gate's ports", { gates: [web, { ...ssh, protect: unknownValue }] }],
    ["the gate's name", { gates: [web, { ...ssh, name: unknownValue }] }],
    ["the gate's knock", { gates: [web, { ...ssh, knock: unknownValue }] }],
    ["allowFrom", { allowFrom: unknownValue }],
    ["the port", {}, { ...edge, port: unknownValue }],
  ])("is not judged while %s is not known", (_what, more, connection) => {
    expect(find({ ...team, deployAs: "ben", ...more }, connection)).toEqual([]);
  });

  test("is judged while keys and the host are not known", () => {
    const users = [ada, { ...ben, key: unknownValue }];
    const found = find({ ...team, users, deployAs: "ben" }, { host: unknownValue });
    expect(found).toEqual(["policy.deployAs deploy-as-without-ssh"]);
  });
});
