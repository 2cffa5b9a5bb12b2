import { expect, test } from "vitest";
import { limitFillMs } from "../../../src/host/tokens";
import { edge, readPolicy } from "../policy/read-policy";

const users = ["a", "b"].map((name) => ({ name, key: `${name.repeat(2)}kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa` }));
const gates = [{ name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } } }];

test("a policy without tokens takes no more time", () => {
  expect(limitFillMs(readPolicy(edge))).toBe(0);
});

test("each user and gate takes as much time again", () => {
  const [one] = users;
  const small = limitFillMs(readPolicy({ name: "edge", gates, users: one === undefined ? [] : [one] }));
  expect(small).toBeGreaterThan(10_000);
  expect(limitFillMs(readPolicy({ name: "edge", gates, users }))).toBe(2 * small);
});
