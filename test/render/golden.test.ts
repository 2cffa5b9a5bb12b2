import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lowerPolicy } from "../../src/render/lower";
import { renderNftables } from "../../src/render/nftables";
import { readPolicy } from "../policy/read-policy";

const folder = join(__dirname, "..", "golden");
const cases = readdirSync(folder);

test("there are golden rulesets", () => {
  expect(cases.length).toBeGreaterThanOrEqual(10);
});

// What changes here changes on every host: read the difference, then update it with `vitest run -u`.
test.each(cases)("the policy %s is rendered as its golden nftables.nft", async (name) => {
  const policy = readPolicy(JSON.parse(readFileSync(join(folder, name, "policy.json"), "utf8")));
  const text = renderNftables(lowerPolicy(policy));
  await expect(text).toMatchFileSnapshot(join(folder, name, "nftables.nft"));
});
