import { afterAll, beforeAll, expect, test } from "vitest";
import { type Lab, openLab } from "../../../lab/lab";
import { nameHosts, openProject } from "./many-stacks";

const stacks = ["web-1", "web-2", "web-3"];

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ hosts: 3 });
});
afterAll(() => lab?.close());

test("many-stacks previews three stacks, rolls them out with one summary, and has nothing to do the next time", async () => {
  const project = openProject(lab);
  const hosts = nameHosts(lab.hosts, { "web-1": 2, "web-2": 0, "web-3": 1 }, stacks);
  project.write({ stacks, stacksAtOnce: 2, maxFailures: 0, user: "ops", hosts });
  const preview = await project.rollOut(["preview"]);
  expect(preview.code).toBe(0);
  expect(preview.summary).toEqual([
    "web-1 done 2 2 0 0 0 0",
    "web-2 done 0 0 0 0 0 0",
    "web-3 done 1 1 0 0 0 0",
    "a preview: nothing was changed",
  ]);
  for (const host of lab.hosts) expect(await host.ruleset()).toBe("");
  const first = await project.rollOut(["up"]);
  expect(first.code).toBe(0);
  expect(first.summary).toEqual([...preview.summary.slice(0, 3), "hosts that failed: 0 (maxFailures is 0)"]);
  for (const host of lab.hosts) expect(await host.ruleset()).toContain("table inet knockgate_edge");
  expect((await project.rollOut(["up", "web-3"])).summary).toEqual([
    "web-3 done 1 0 1 0 0 0",
    "hosts that failed: 0 (maxFailures is 0)",
  ]);
});
