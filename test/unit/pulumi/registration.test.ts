import { expect, test } from "vitest";
import { refuseBun } from "../../../src/pulumi/registration";

test("a program that Bun runs is refused, and told what to write", () => {
  expect(() => refuseBun({ node: "24.3.0", bun: "1.4.5" })).toThrow(
    /run by Bun.*No host was contacted.*`runtime: nodejs`.*\[HOST_UNFIT\]/,
  );
});

test("a program that Node runs is not", () => {
  expect(() => refuseBun(process.versions)).not.toThrow();
});
