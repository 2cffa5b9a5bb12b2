import { afterEach, describe, expect, test, vi } from "vitest";
import { KnockgateError } from "../../../../src/errors";
import { logLine } from "../../../../src/pulumi/log";
import { nameResource } from "../../../../src/pulumi/resource-name";
import { actAtEdge } from "../../../../src/pulumi/ruleset/edge";

afterEach(() => {
  vi.restoreAllMocks();
});

describe("what a provider's server prints of a failure", () => {
  const fail = (error: Error): Promise<Error> =>
    actAtEdge("edge", () => Promise.reject(error)).then(
      () => new Error("it went well"),
      (thrown: Error) => thrown,
    );

  test("is neither its message nor a stack: the engine is told the message", async () => {
    const thrown = await fail(new KnockgateError("UNREACHABLE", "edge.test:22: nobody there."));
    expect(`${thrown}: ${thrown.stack}`).toBe("edge: failed with UNREACHABLE; the error says why");
    expect(thrown.message).toBe("edge.test:22: nobody there. [UNREACHABLE]");
    expect(thrown).toMatchObject({ code: "UNREACHABLE", summary: "edge.test:22: nobody there." });
  });

  test("is all there is for a bug of our own", async () => {
    const thrown = await fail(new TypeError("a slip"));
    expect(thrown.stack).toMatch(/^TypeError: a slip\n +at /);
  });
});

describe("a line of the log", () => {
  test("begins with the resource that is at work, however many are at once", async () => {
    const said: string[] = [];
    vi.spyOn(console, "log").mockImplementation((line: string) => void said.push(line));
    await Promise.all(
      ["web-a", "web-b", undefined].map((name) =>
        actAtEdge(name, async () => {
          await Promise.resolve();
          logLine("edge on 192.0.2.1:22: 1/6 connect");
        }),
      ),
    );
    const line = "edge on 192.0.2.1:22: 1/6 connect";
    expect(said).toEqual([`web-a: ${line}`, `web-b: ${line}`, line]);
  });

  test.each([
    ["a gate", "acme/urn:pulumi:lab::shop::knockgate:index:KnockGate::edge", "edge"],
    [
      "a gate below another component",
      "/urn:pulumi:lab::shop::acme:index:Site$knockgate:index:KnockGate::edge",
      "edge",
    ],
    [
      "a gate whose name has a slash",
      "acme/urn:pulumi:lab::shop::knockgate:index:KnockGate::eu/edge",
      "eu/edge",
    ],
    [
      "a host of a fleet",
      "acme/urn:pulumi:lab::shop::knockgate:index:KnockFleet::eu/web/a.test",
      "eu/web-a.test",
    ],
    ["a state that does not say", undefined, undefined],
  ])("names %s", (_what, origin, name) => {
    expect(nameResource(origin)).toBe(name);
  });
});
