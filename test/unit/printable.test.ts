import fc from "fast-check";
import { expect, test } from "vitest";
import { KnockgateError } from "../../src/errors";
import { formatFindings } from "../../src/policy/finding";
import { escapeControls, escapeLine } from "../../src/printable";
import { logLine, withLog } from "../../src/pulumi/log";

const odd = "a\x1b[31mb\r\u202Ec\u2066d\u2028e\x7f\x9bf\uD800g\u200Bh";
const escaped = "a\\u001b[31mb\\u000d\\u202ec\\u2066d\\u2028e\\u007f\\u009bf\\ud800g\\u200bh";

test("invisible characters are written as escapes, line breaks and tabs only in text of one line", () => {
  expect(escapeControls(odd)).toBe(escaped);
  expect(escapeControls("Zürich, 東京, \u{1F600}\n\tlast")).toBe("Zürich, 東京, \u{1F600}\n\tlast");
  expect(escapeLine("one\n\ttwo")).toBe("one\\u000a\\u0009two");
});

test("an escape means the same in JSON", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffff })), (units) => {
      const text = String.fromCharCode(...units);
      expect(JSON.parse(escapeControls(JSON.stringify({ text })))).toEqual({ text });
    }),
  );
});

test("errors, findings and log lines are printed so", async () => {
  const error = new KnockgateError("HOST_FAILED", `edge said ${odd}`);
  expect([error.message, error.summary]).toEqual([
    `edge said ${escaped} [HOST_FAILED]`,
    `edge said ${escaped}`,
  ]);
  const found = formatFindings([{ path: "name", rule: "x", message: `is ${odd}\n.`, fix: "Change it." }]);
  expect(found).toBe(`name: is ${escaped}\\u000a. Fix: Change it. [x]`);
  const lines: string[] = [];
  await withLog(
    (line) => lines.push(line),
    async () => logLine(odd),
  );
  expect(lines).toEqual([escaped]);
});
