import { describe, expect, test } from "vitest";
import { type Explanation, explainPolicy } from "../../../src/explain/explanation";
import { renderMermaid } from "../../../src/explain/mermaid";
import { renderTable } from "../../../src/explain/table";
import { formatLines, formatSeconds, groupRuns } from "../../../src/explain/words";
import { parsePolicy } from "../../../src/policy/parse";
import type { PolicyInput } from "../../../src/policy/policy";

function explain(input: PolicyInput, showSecrets = false): Explanation {
  const reading = parsePolicy(input);
  if (reading.kind === "wrong") throw new Error(JSON.stringify(reading.findings));
  return explainPolicy(reading.policy, { key: "k", showSecrets });
}

const recipe: PolicyInput = {
  name: "recipe",
  backend: "iptables",
  stealth: true,
  limits: { firstStepsPerSecond: 0 },
  gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [{ tcp: 1_000 }] }, openForSeconds: 5 }],
  acceptRisks: [
    "swept-in-order",
    "knock-too-short",
    "low-entropy",
    "iptables-few-sources",
    "window-too-short",
  ],
};

test("a policy as a table", () => {
  expect(`\n${renderTable(explain(recipe, true))}`).toMatchInlineSnapshot(`
    "
    Gate ssh

    part      meaning                                                                                        ruleset lines
    --------  ---------------------------------------------------------------------------------------------  -------------
    protects  TCP 22                                                                                         10-11, 23-24
    step 1    TCP SYN to port 1000                                                                           9, 22
    open for  5 s after the last step, for new connections of that source; connections that were made go on  10, 23
    strength  17 bits: at 100 tries a second, 16 minutes on average                                          -

    Policy recipe

    part                  meaning                                                ruleset lines
    --------------------  -----------------------------------------------------  -----------------------------------
    never needs to knock  nobody                                                 -
    never passes          nobody                                                 -
    gated                 packets for the host itself                            2, 5, 7, 10, 12, 15, 18, 20, 23, 25
    dropped               all packets that are not of an established connection  4, 6, 8, 17, 19, 21
    remembers             as many sources at once as the host's xt_recent holds  -
    first steps           all count                                              -
    logged                nothing                                                -
    "
  `);
});

test("a policy as Markdown", () => {
  const [first] = renderTable(explain(recipe), "markdown").split("\n\n### ");
  expect(`\n${first}`).toMatchInlineSnapshot(`
    "
    ### Gate ssh

    | part | meaning | ruleset lines |
    | --- | --- | --- |
    | protects | TCP 22 | 10-11, 23-24 |
    | step 1 | TCP SYN to port \\<ssh-1:2b13bf\\> | 9, 22 |
    | open for | 5 s after the last step, for new connections of that source; connections that were made go on | 10, 23 |
    | strength | 17 bits: at 100 tries a second, 16 minutes on average | - |"
  `);
});

test("no text of a policy leaves its cell", () => {
  const explanation = explain({ ...recipe, acceptRisks: ["a|b\n\u001b[2J"] });
  expect(renderTable(explanation)).toContain('"a|b\\u{a}\\u{1b}[2J" is not a rule');
  const markdown = renderTable(explanation, "markdown");
  expect(markdown).toContain('"a\\|b\\\\u\\{a\\}\\\\u\\{1b\\}\\[2J" is not a rule');
  const rows = markdown.split("\n").filter((line) => line.startsWith("| error | acceptRisks"));
  expect(rows.length).toBe(1);
});

test("a policy as a Mermaid state diagram", () => {
  const knock = { steps: [{ tcp: 41_873 }, { udp: 22_719 }], strict: false };
  const text = renderMermaid(
    explain({ name: "edge", gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock }] }),
  );
  expect(`\n${text}`).toMatchInlineSnapshot(`
    "
    stateDiagram-v2
        accTitle: policy edge
        state "gate ssh#58; TCP 22" as gate0 {
            state "closed" as gate0_0
            state "step 1 of 2 taken" as gate0_1
            state "open" as gate0_2
            [*] --> gate0_0
            gate0_0 --> gate0_1 : TCP SYN to port #60;ssh-1#58;e1aeaf#62;
            gate0_1 --> gate0_2 : UDP datagram to port #60;ssh-2#58;ac80ae#62;
            gate0_1 --> gate0_0 : 5 s without the next step
            gate0_2 --> gate0_0 : 30 s after the last step
        }
    "
  `);
});

describe("words", () => {
  test.each([
    [1, "1 s"],
    [90, "90 s"],
    [120, "2 min"],
    [3_600, "1 h"],
    [86_399, "86399 s"],
    [86_400, "24 h"],
  ])("%d seconds are %s", (seconds, words) => {
    expect(formatSeconds(seconds)).toBe(words);
  });

  test.each([
    [[], "-"],
    [[3], "3"],
    [[3, 4, 5, 9], "3-5, 9"],
    [[1, 3, 5], "1, 3, 5"],
  ])("the lines %j are %s", (lines, words) => {
    expect(formatLines(lines)).toBe(words);
    expect(
      groupRuns(lines).flatMap(([first, last]) =>
        Array.from({ length: last - first + 1 }, (_, i) => first + i),
      ),
    ).toEqual(lines);
  });
});
