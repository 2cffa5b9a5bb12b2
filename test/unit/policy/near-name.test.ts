import { expect, test } from "vitest";
import { findNearName } from "../../../src/policy/near-name";
import { describeUnknown } from "../../../src/policy/unknown-field";

const names = ["host", "user", "password", "privateKey", "undoAfterSeconds", "perDialTimeout", "tcp", "udp"];

test.each([
  ["privatekey", "privateKey"],
  ["private_key", "privateKey"],
  ["undoAfter", "undoAfterSeconds"],
  ["timeout", "perDialTimeout"],
  ["passwort", "password"],
  ["pasword", "password"],
  ["usre", "user"],
  ["tpc", "tcp"],
  ["tcp:17411", "tcp"],
  ["port", undefined],
  ["x", undefined],
  ["", undefined],
  ["17411", undefined],
  ["p".repeat(10_000), undefined],
])("of %s is %s", (typed, near) => {
  expect(findNearName(typed, names)).toBe(near);
});

test("the message about unknown fields does not depend on a value in their names", () => {
  const said = (name: string) => describeUnknown([name], names);
  expect(said("password:one")).toEqual(said("password:another"));
  expect(said("hunter2")).toEqual(said("sesame"));
  expect(said("passwort")).toEqual({
    message: "has a field that is not known.",
    fix: `Did you mean password? Else remove it. Known are ${names.join(", ")}.`,
  });
});
