import { expect, test } from "vitest";
import { parseReply } from "../../../../src/host/script/program";
import { readOpenings } from "../../../../src/host/script/read-openings";

const section = (...lines: string[]) => `== openings\n${lines.map((line) => `|${line}\n`).join("")}`;

test("reads the last opening of each user from the journal", () => {
  const said = section(
    "oldest 1796000000",
    "ssh ada 1796000300 192.0.2.9",
    "wg ci 1796000200 2001:0db8::0007",
  );
  expect(readOpenings(parseReply(`log=journal\n${said}end=openings\n`))).toEqual({
    log: "journal",
    since: 1_796_000_000,
    openings: [
      { gate: "ssh", user: "ada", at: 1_796_000_300, source: "192.0.2.9" },
      { gate: "wg", user: "ci", at: 1_796_000_200, source: "2001:0db8::0007" },
    ],
  });
});

test("counts the kernel's seconds from the boot", () => {
  const said = section("oldest 0", "ssh ada 300 192.0.2.9");
  expect(readOpenings(parseReply(`booted=1796000000\nlog=kernel\n${said}`))).toMatchObject({
    log: "kernel",
    since: 1_796_000_000,
    openings: [{ at: 1_796_000_300 }],
  });
});

test.each(["", "ssh ada 12", "ssh ada x 192.0.2.9", "ssh ada 12 \u001b[2J", "oldest"])(
  "leaves out a line that is none: %j",
  (line) => {
    expect(readOpenings(parseReply(`log=journal\n${section(line)}`))).toMatchObject({ openings: [] });
  },
);

test("tells a log that can't be read from a policy that logs no openings", () => {
  expect(readOpenings(parseReply("booted=5\nlog=none\n"))).toEqual({ log: "none", openings: [] });
  expect(readOpenings(parseReply("end=openings\n"))).toBeUndefined();
});
