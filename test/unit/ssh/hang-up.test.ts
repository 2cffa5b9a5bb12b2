import { expect, test } from "vitest";
import { listenForBanner } from "../../../src/ssh/hang-up";

const long = "A line of a warning before the identification.\r\n".repeat(600);

test.each<readonly [string, readonly string[], boolean]>([
  ["only the identification", ["SSH-2.0-OpenSSH_9.2p1\r\n"], true],
  ["the identification in two pieces", ["SS", "H-2.0-OpenSSH_9.2p1\r\n"], true],
  ["many lines before it", [long, "SSH-2.0-OpenSSH_9.2p1\r\n"], true],
  ["many lines before it in one piece", [`${long}SSH-2.0-OpenSSH_9.2p1\r\n`], true],
  ["a long line before it", ["x".repeat(5_000), "\n", "SSH-2.0-x\r\n"], true],
  ["a line that only contains it", ["abcdefgh", "SSH-2.0\r\n"], false],
  ["other lines", [long, "Not allowed at this time\r\n"], false],
])("a server that sends %s is heard as SSH: %#", (_what, pieces, isSsh) => {
  const beginning = listenForBanner();
  for (const piece of pieces) beginning.hear(Buffer.from(piece, "latin1"));
  expect(beginning.isSsh).toBe(isSsh);
  expect(beginning.said.length).toBeLessThan(2_048);
});
