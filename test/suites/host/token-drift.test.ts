import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { renderPolicy } from "../../../src/backends/render";
import { changeHost } from "../../../src/change/change";
import { assessDrift } from "../../../src/host/drift";
import { digestText } from "../../../src/policy/digest";
import { claimHost, type Deployment, deployTo } from "./deployment";
import { listDrift } from "./look";
import { ada, ben, declareTokens, deploy, observe, shells, tokenHost } from "./token-host";

const policy = declareTokens({ users: [ada, ben] });
const first = { policy, owner: "me", undoAfterSeconds: 60 };
const again = { ...first, formerPolicies: [policy] };

describe.each(shells)("on a host with %s", (shell) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 8, shell });
  });
  afterAll(() => lab?.close());

  async function claimFilled(): Promise<[LabHost, Deployment]> {
    const host = claimHost(lab);
    await host.run(["mkdir", "-p", "/etc/cron.d"]);
    const context = await deployTo(lab, host);
    await changeHost(first, context);
    return [host, context];
  }

  // One deployment has one purse, so it sends no token twice.
  const refresh = (host: LabHost, context: Deployment) => listDrift(lab, host, policy, async () => context);
  const source = "/var/lib/knockgate/edge/changes/*/tokens";

  test.each([
    ["the file with the keys was removed", `rm ${source}`, /^token source: .* is gone/],
    [
      "a key was replaced",
      `sed -i "s/^\\(user [^ ]* ssh\\) .*/\\1 $(printf %043d 7)/" ${source}`,
      /^token source: .* other keys/,
    ],
    [
      "a number was made one that ends a shell",
      `sed -i "s/^slot .*/slot 0x/" ${source}`,
      /^token source: .* other keys/,
    ],
    [
      "the file was emptied",
      `: >${source.replace("*", "$(ls /var/lib/knockgate/edge/changes)")}`,
      /^token source: .* other keys/,
    ],
    ["others were let read the file", `chmod 0640 ${source}`, /^token source: the mode or the owner/],
    ["the file for cron was removed", "rm /etc/cron.d/knockgate-edge", /^no fill: /],
  ])("a refresh sees that %s, and the next change repairs it", async (_what, act, words) => {
    const [host, context] = await claimFilled();
    expect(await refresh(host, context)).toEqual([]);
    const before = await host.run(["sh", "-c", `cat ${source}`]);
    await host.run(["sh", "-c", act]);
    const drift = await refresh(host, context);
    expect(drift).toEqual([expect.stringMatching(words)]);
    for (const { key } of [ada, ben]) expect(drift.join()).not.toContain(key);
    await changeHost(again, context);
    expect(await refresh(host, context)).toEqual([]);
    expect((await host.run(["sh", "-c", `cat ${source}`])).stdout).toBe(before.stdout);
    await changeHost(again, context);
    expect(context.lines.at(-2)).toContain("nothing to change");
  });

  test("a look by another name of the host says for which one it makes its tokens", async () => {
    const host = claimHost(lab);
    await deploy(host, policy, { host: "other.example.org" });
    const digest = digestText(renderPolicy(policy));
    const drift = assessDrift(await observe(host, policy), { policy, host: tokenHost, digest, owner: "me" });
    expect(drift).toEqual([{ kind: "token source", what: "for another name", name: "other.example.org" }]);
  });
});
