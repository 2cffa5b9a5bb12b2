import { expect, test } from "vitest";
import { parseReply } from "../../../../src/host/script/program";
import { readClock, readTokens } from "../../../../src/host/script/read-tokens";

test.each([
  ["clock=1795912335\n", 1_795_912_335],
  ["clock=\n", undefined],
  ["clock=now\n", undefined],
  ["", undefined],
])("reads a host's clock from %j", (said, clock) => {
  expect(readClock(parseReply(said))).toBe(clock);
});

test("reads each user's tokens, and until when all users have some", () => {
  const reply = parseReply(
    "tokens_digest=ab12\ntokens_host=edge.test\ntokens_user=ssh ada 1000 9000 3 1100 1200\ntokens_user=wg ci 2000 8000 0 0 0\n",
  );
  expect(readTokens(reply)).toEqual({
    digest: "ab12",
    host: "edge.test",
    until: 8_000,
    users: [
      { gate: "ssh", user: "ada", from: 1_000, until: 9_000, opened: 3, last: { from: 1_100, to: 1_200 } },
      { gate: "wg", user: "ci", from: 2_000, until: 8_000, opened: 0 },
    ],
  });
});

test("a host that has lost its table has tokens of nobody", () => {
  const reply = parseReply("tokens_digest=ab12\ntokens_user=ssh ada 0 0 0 0 0\n");
  expect(readTokens(reply)?.until).toBe(0);
});

test.each([
  ["tokens_host=edge\u001b[2J\n", { host: "" }],
  ["tokens_host=\n", { host: "" }],
  ["tokens_host=edge.test\ntokens_readable=yes\n", { host: "edge.test", isReadable: true }],
])("reads of what tokens are made from only what is safe to show: %j", (said, expected) => {
  const tokens = readTokens(parseReply(`tokens_digest=ab12\n${said}`));
  expect(tokens).toEqual({ digest: "ab12", until: 0, users: [], ...expected });
});

test("a host without tokens says nothing of them", () => {
  expect(readTokens(parseReply("clock=5\n"))).toBeUndefined();
});
