import { createSocket } from "node:dgram";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runPerl } from "../../../src/knock/local-perl";
import type { TokenStep } from "../../../src/knock/packet";
import { readFault, tellKnock } from "../../../src/knock/packet-program";
import { needsEcho } from "../../../src/knock/preflight";
import { sendKnock } from "../../../src/knock/send-knock";
import { writeTokenPayload } from "../../../src/knock/token-payload";
import { listen, type Receiver } from "./receiver";

const tokens = ["1c70a366cbb9dd0b45cc64882cba4a42", "00ff0d0a5c25002700000000000000ff"];

let receiver: Receiver;
beforeEach(async () => {
  receiver = await listen();
});
afterEach(() => receiver.close());

function step(token: string, use: TokenStep["use"] = "open"): TokenStep {
  return { kind: "token", carrier: { kind: "udp", port: receiver.port }, token, use };
}

describe("a token", () => {
  test("is sent as the payload of one datagram, and one byte more closes", async () => {
    for (const token of tokens) await sendKnock("127.0.0.1", [step(token), step(token, "close")]);
    expect(await receiver.take(4)).toEqual(tokens.flatMap((token) => [token, `${token}00`]));
  });

  test("is sent by the packet program in the same way", async () => {
    const steps = tokens.flatMap((token) => [step(token), step(token, "close")]);
    expect(readFault(await runPerl(tellKnock("127.0.0.1", steps)))).toBeUndefined();
    expect(await receiver.take(4)).toEqual(tokens.flatMap((token) => [token, `${token}00`]));
  });

  test("goes over IPv6", async () => {
    const six = createSocket("udp6").bind(0, "::1");
    const arrived = new Promise<string>((resolve) =>
      six.once("message", (it) => resolve(it.toString("hex"))),
    );
    await new Promise((resolve) => six.once("listening", resolve));
    const { port } = six.address() as AddressInfo;
    const [token = ""] = tokens;
    await sendKnock("::1", [{ kind: "token", carrier: { kind: "udp", port }, token, use: "open" }]);
    expect(await arrived).toBe(token);
    six.close();
  });

  test("stands in an echo request behind 16 other bytes", async () => {
    const [token = ""] = tokens;
    const echo: TokenStep = { kind: "token", carrier: { kind: "icmpEcho" }, token, use: "close" };
    expect(writeTokenPayload(echo).toString("hex")).toBe(`${"00".repeat(16)}${token}00`);
    expect(tellKnock("192.0.2.1", [echo])).toBe(`to 192.0.2.1\nicmp_token ${"00".repeat(16)}${token}00\n`);
    expect([needsEcho([echo]), needsEcho([step(token)])]).toEqual([true, false]);
    const sent: unknown[] = [];
    await sendKnock("192.0.2.1", [echo], { sendEcho: async (...words) => void sent.push(words) });
    expect(sent).toEqual([["192.0.2.1", echo]]);
  });
});
