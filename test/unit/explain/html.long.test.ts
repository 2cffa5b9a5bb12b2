import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Explanation, explainPolicy } from "../../../src/explain/explanation";
import { renderHtml } from "../../../src/explain/html";
import { renderMermaid } from "../../../src/explain/mermaid";
import { renderSvg } from "../../../src/explain/svg";
import { renderTable } from "../../../src/explain/table";
import { parsePolicy } from "../../../src/policy/parse";
import type { PolicyInput } from "../../../src/policy/policy";
import { policyInput } from "../arbitraries";
import { runs } from "../runs";

function explain(input: PolicyInput, showSecrets = false): Explanation {
  const reading = parsePolicy(input);
  if (reading.kind === "wrong") throw new Error(JSON.stringify(reading.findings));
  return explainPolicy(reading.policy, { key: "k", showSecrets });
}

const gate = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [{ tcp: 41_873 }, { udp: 22_719 }] } };

describe("the report", () => {
  test("links to what it has, and each id is there once, whatever the policy", () => {
    fc.assert(
      fc.property(policyInput(), fc.constantFrom("nftables", "iptables"), (input, backend) => {
        const html = renderHtml(explain({ ...input, backend }));
        const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
        expect(new Set(ids).size).toBe(ids.length);
        const targets = [...html.matchAll(/ href="([^"]*)"/g)].map(([, target]) => target);
        expect(targets.length).toBeGreaterThan(3);
        const known = new Set(ids.map((id) => `#${id}`));
        expect(targets.filter((target) => !known.has(target ?? ""))).toEqual([]);
        const described = [...html.matchAll(/ aria-labelledby="([^"]*)"/g)].flatMap(([, names]) =>
          names?.split(" "),
        );
        expect(described.filter((id) => !ids.includes(id))).toEqual([]);
      }),
      runs(5),
    );
  });

  test("has landmarks, headings in order, and headers with a scope in every table", () => {
    const html = renderHtml(explain({ name: "edge", gates: [gate] }));
    expect(html).toContain('<html lang="en">');
    for (const landmark of ["header", "nav", "main"]) expect(html.split(`<${landmark}`).length).toBe(2);
    const headings = [...html.matchAll(/<h(\d)/g)].map(([, level]) => Number(level));
    expect(headings[0]).toBe(1);
    expect(headings.filter((level) => level === 1)).toEqual([1]);
    expect(headings.every((level, index) => level <= (headings[index - 1] ?? 0) + 1)).toBe(true);
    const tables = html.match(/<table[\s\S]*?<\/table>/g) ?? [];
    expect(tables.length).toBe(4);
    for (const table of tables) {
      expect(table).toContain("<caption>");
      expect(table).not.toMatch(/<th(?! scope="(?:col|row)")[ >]/);
    }
  });

  test("loads nothing and runs nothing", () => {
    const html = renderHtml(explain({ name: "edge", gates: [gate] }));
    expect(html).not.toMatch(/<(?:script|link|img|iframe|object|base)\b| (?:src|style|on\w+)=|url\(|@import/);
    expect([...new Set(html.match(/https?:[^"]*/g))]).toEqual(["http://www.w3.org/2000/svg"]);
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  });

  test("has both themes, and the light one on paper", () => {
    const html = renderHtml(explain({ name: "edge", gates: [gate] }));
    expect(html).toMatch(/:root\{color-scheme:light dark;--paper:#ffffff/);
    expect(html).toMatch(/@media \(prefers-color-scheme:dark\)\{:root\{--paper:#0f1419/);
    expect(html).toMatch(/@media print\{\n:root\{color-scheme:light;--paper:#ffffff/);
  });

  test("has every line of the ruleset once, with its number", () => {
    const explanation = explain({ name: "edge", gates: [gate] });
    const rows = [
      ...renderHtml(explanation).matchAll(
        /<tr id="line-(\d+)"><th scope="row">(\d+)<\/th><td><code[^>]*>(.*?)<\/code>/g,
      ),
    ];
    expect(rows.map(([, id, number]) => [Number(id), Number(number)])).toEqual(
      explanation.ruleset.map(({ number }) => [number, number]),
    );
    const texts = rows.map(([, , , text]) =>
      text?.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(code)),
    );
    expect(texts).toEqual(explanation.ruleset.map(({ text }) => text.trimStart()));
  });

  test("has no ruleset, and says why, where the backend can't do what the policy asks for", () => {
    const steps = [{ tcp: 41_873 }, { tcp: 41_873 }, { udp: 22_719 }];
    const explanation = explain({
      name: "edge",
      backend: "iptables",
      gates: [{ ...gate, knock: { steps } }],
    });
    expect(explanation.ruleset).toEqual([]);
    expect(explanation.findings.map(({ rule }) => rule)).toContain("iptables-doubled-step");
    expect(renderHtml(explanation)).toContain("There is none: iptables can't do what this policy asks for.");
  });

  test("has no unexpected tag, whatever a policy says", () => {
    const tagsOf = (risk: string) => {
      const html = renderHtml(explain({ name: "edge", gates: [gate], acceptRisks: [risk] }));
      return html.replace(/>[^<]*</g, "><");
    };
    const usual = tagsOf("x");
    const part = fc.constantFrom(
      "<",
      ">",
      "&",
      '"',
      "'",
      "</td>",
      "<script>",
      "-->",
      "javascript:",
      "\u0000",
      "x",
    );
    const hostile = fc.array(part, { minLength: 1 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(hostile, (risk) => tagsOf(risk) === usual),
      runs(30),
    );
  });
});

describe("what is shown of a knock", () => {
  const render = (explanation: Explanation): readonly string[] => [
    renderTable(explanation),
    renderTable(explanation, "markdown"),
    renderMermaid(explanation),
    renderSvg(explanation),
    renderHtml(explanation),
    JSON.stringify(explanation),
  ];
  const policyWith = (
    ports: readonly number[],
    size: number,
    backend: "nftables" | "iptables",
  ): PolicyInput => {
    const [one = 0, two = 0, three = 0] = ports;
    const steps = [{ tcp: one }, { udp: two }, { icmpPayloadBytes: size }, { tcp: three }];
    return { name: "edge", backend, gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }] };
  };
  const ports = fc.uniqueArray(fc.integer({ min: 1_024, max: 65_535 }), { minLength: 3, maxLength: 3 });
  const knock = fc.tuple(ports, fc.nat(1_232));
  const hideLabels = (text: string) => text.replace(/[0-9a-f]{6}(?=\\?>|#62;|&#62;)/g, "label");

  test.each(["nftables", "iptables"] as const)(
    "is the same for every knock, except for the labels: %s",
    (backend) => {
      fc.assert(
        fc.property(knock, knock, (one, other) => {
          const [shown, expected] = [one, other].map(([numbers, size]) => {
            const explanation = explain(policyWith(numbers, size, backend));
            // The linter has its own words for an order of ports, and never names a port.
            return render({ ...explanation, findings: [] }).map(hideLabels);
          });
          expect(shown).toEqual(expected);
        }),
        runs(10),
      );
    },
  );

  test("is all of it when it is asked for", () => {
    const explanation = explain(policyWith([41_873, 22_719, 35_129], 77, "nftables"), true);
    for (const text of render(explanation)) {
      for (const secret of ["41873", "22719", "35129", "77 bytes"]) expect(text).toContain(secret);
      expect(hideLabels(text)).toBe(text);
    }
    expect(renderHtml(explanation)).toContain("keep it as secret as they are");
  });
});
