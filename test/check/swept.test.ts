import { expect, test } from "vitest";
import { sweepAccepted } from "./swept";

test("no sweep opens, in the model, a gate that the linter has nothing against", () => {
  expect(sweepAccepted(20, 3, 1)).toEqual([]);
});
