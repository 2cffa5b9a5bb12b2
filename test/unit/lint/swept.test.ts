import { expect, test } from "vitest";
import { sweepAccepted } from "./swept";

test("no sweep opens, in the model, a gate in which the linter finds nothing", { timeout: 20_000 }, () => {
  expect(sweepAccepted(4, 3, 1)).toEqual([]);
});
