import { expect, test } from "vitest";
import { explainReaction } from "../../../src/model/explain";
import type { Reaction } from "../../../src/model/state";
import { edge, readPolicy } from "../policy/read-policy";

const policy = readPolicy(edge);
const reaction = (kind: Reaction["kind"], taken: number, expired = 0): Reaction => {
  return { gate: "ssh", kind, taken, expired };
};

test.each<readonly [Reaction, string]>([
  [reaction("step", 1), "ssh: step 1 of 3 taken"],
  [reaction("again", 2), "ssh: step 2 once more, which changes nothing"],
  [reaction("opened", 0), "ssh: step 3 of 3 taken: the door is open"],
  [reaction("reset", 0), "ssh: not the next step: strict puts the source back to the start"],
  [reaction("stray", 2), "ssh: not the next step; 2 of 3 taken"],
  [reaction("accepted", 0), "ssh: came through the open door"],
  [reaction("dropped", 0), "ssh: dropped at the closed door"],
  [
    reaction("stray", 0, 2),
    "ssh: step 3 did not come within 5 s of step 2, so the steps so far were forgotten; not the next step; 0 of 3 taken",
  ],
])("%j is said as %j", (given, words) => {
  expect(explainReaction(policy, given)).toBe(words);
});
