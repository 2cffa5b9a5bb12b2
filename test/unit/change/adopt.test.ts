import { describe, expect, test } from "vitest";
import { renderPolicy } from "../../../src/backends/render";
import { changeHost } from "../../../src/change/change";
import { nameOwner } from "../../../src/change/owner";
import type { ChangeRequest } from "../../../src/change/request";
import { KnockgateError } from "../../../src/errors";
import { makePolicy } from "../../suites/host/policies";
import { type FakeHost, makeFakeHost } from "../fake-host";

const policy = makePolicy();
/** The same knock, so that it gets in, but with an allowFrom. */
const other = makePolicy({ allowFrom: ["192.0.2.200"] });
const first: ChangeRequest = { policy, owner: "me", undoAfterSeconds: 60 };
const uuids = ["0d94a1de-3f5c-4f0e-8d3a-5b7f5f0c1a11", "7c1b6a52-9d1e-4c0b-9a63-2f6f0c9f4b22"] as const;

async function refuse(host: FakeHost, request: ChangeRequest): Promise<KnockgateError> {
  const failure = await changeHost(request, host.context).catch((error: unknown) => error);
  if (failure instanceof KnockgateError) return failure;
  throw new Error(`no KnockgateError: ${String(failure)}`);
}

describe("a policy that another owner has confirmed", () => {
  test.each<[string, Partial<ChangeRequest>]>([
    ["a first change", {}],
    ["a change of what was ours before", { formerPolicies: [policy] }],
  ])("is not overwritten by %s, and the message says whose it is and what to do", async (_what, more) => {
    const host = makeFakeHost({ confirmed: { policy: other, owner: "edge-7" }, policies: [policy] });
    const { code, message } = await refuse(host, { ...first, ...more });
    expect(code).toBe("OWNED_BY_ANOTHER");
    expect(message).toMatch(
      /^policy edge on edge\.test:22: .* its owner is edge-7 .*`adopt: true`.* Nothing was changed on the host\./,
    );
    expect(host.calls).toEqual(["1 probe"]);
    expect(host.state).toMatchObject({
      confirmed: { text: renderPolicy(other), owner: "edge-7" },
      openConnections: 0,
    });
  });

  test("is changed where it may be adopted", async () => {
    const host = makeFakeHost({ confirmed: { policy: other, owner: "edge-7" }, policies: [policy] });
    await changeHost({ ...first, adopts: true }, host.context);
    expect(host.state.confirmed).toMatchObject({ text: renderPolicy(policy), owner: "me" });
  });

  test.each([
    ["", "edge"],
    [", also one that was made under another name", "rim"],
  ])("is changed where its owner stands in the same place of the same program%s", async (_what, name) => {
    const [lost, mine] = [
      nameOwner(name, "acme/urn:edge", uuids[0]),
      nameOwner("edge", "acme/urn:edge", uuids[1]),
    ];
    const host = makeFakeHost({ confirmed: { policy: other, owner: `${lost}` }, policies: [policy] });
    await changeHost({ ...first, owner: `${mine}` }, host.context);
    expect(host.state.confirmed?.owner).toBe(mine);
  });

  test.each([
    ["stands in another place", nameOwner("edge", "acme/urn:rim", uuids[0])],
    ["is from before places were noted", nameOwner("edge", undefined, uuids[0])],
    ["only looks alike", `${nameOwner("edge", "acme/urn:edge", uuids[0])}0`],
  ])("is not changed without adopt where its owner %s", async (_what, owner) => {
    const host = makeFakeHost({ confirmed: { policy: other, owner }, policies: [policy] });
    const mine = nameOwner("edge", "acme/urn:edge", uuids[1]);
    expect((await refuse(host, { ...first, owner: mine })).code).toBe("OWNED_BY_ANOTHER");
    const old = nameOwner("edge", undefined, uuids[1]);
    expect((await refuse(host, { ...first, owner: old })).code).toBe("OWNED_BY_ANOTHER");
  });

  test("is adopted without adopt where it equals the wanted policy, and nothing is loaded", async () => {
    const host = makeFakeHost({ confirmed: { policy, owner: "edge-7" }, policies: [] });
    await changeHost(first, host.context);
    expect(host.calls).toEqual(["1 probe", "1 adopt"]);
    expect(host.state.confirmed?.owner).toBe("me");
    expect(host.lines.at(-1)).toContain(
      "confirmed and loaded by edge-7; it now belongs to the owner of this change",
    );
  });

  test.each([
    ["refuses", /the policy could not be adopted: was changed\. Nothing was changed on the host\./],
    ["babbles", /the policy could not be adopted: exit code 0\. Nothing was changed on the host\./],
  ] as const)("keeps its owner where the host %s", async (kind, message) => {
    const faults = [{ at: "adopt", kind, stderr: "was changed" }] as const;
    const host = makeFakeHost({ confirmed: { policy, owner: "edge-7" }, policies: [], faults });
    expect((await refuse(host, first)).message).toMatch(message);
    expect(host.state).toMatchObject({ confirmed: { owner: "edge-7" }, openConnections: 0 });
  });
});

test("an owner's name is safe in a host's file and in a shell, whatever its place is called", () => {
  expect(nameOwner("edge", "acme/urn:pulumi:döv::web site::gate", uuids[0])).toMatch(
    /^edge-[0-9a-f]{16}-[0-9a-f-]{36}$/,
  );
});
