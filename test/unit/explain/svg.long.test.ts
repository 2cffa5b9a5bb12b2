import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maskSecrets } from "../../../src/backends/redact";
import { drawingWidth, drawStates } from "../../../src/explain/draw-states";
import { drawTimeline } from "../../../src/explain/draw-timeline";
import type { Drawing, Label } from "../../../src/explain/drawing";
import { type Explanation, explainPolicy, type GateExplanation } from "../../../src/explain/explanation";
import { measureText, textSizes } from "../../../src/explain/measure";
import { renderGateSvg, renderSvg } from "../../../src/explain/svg";
import { themes } from "../../../src/explain/theme";
import { describeStep } from "../../../src/explain/words";
import { parsePolicy } from "../../../src/policy/parse";
import type { PolicyInput } from "../../../src/policy/policy";
import { readStep, type StepInput } from "../../../src/policy/step";
import { gateName } from "../arbitraries";
import { runs } from "../runs";

function explain(input: PolicyInput): Explanation {
  const reading = parsePolicy(input);
  if (reading.kind === "wrong") throw new Error(JSON.stringify(reading.findings));
  return explainPolicy(reading.policy, { key: "k" });
}

/** A gate to draw, without a ruleset: making one takes most of an explanation's time. */
function explainedGate(): fc.Arbitrary<GateExplanation> {
  const port = fc.integer({ min: 1, max: 65_535 });
  const size = fc.nat(1_232);
  const step: fc.Arbitrary<StepInput> = fc.oneof(
    port.map((tcp) => ({ tcp })),
    port.map((udp) => ({ udp })),
    fc.record({ udp: port, udpPayloadBytes: size }),
    size.map((icmpPayloadBytes) => ({ icmpPayloadBytes })),
  );
  const seconds = fc.integer({ min: 1, max: 86_400 });
  return fc
    .record({
      name: gateName(),
      protects: fc.array(
        port.map((first) => `TCP ${first}`),
        { minLength: 1, maxLength: 40 },
      ),
      steps: fc.array(step, { minLength: 1, maxLength: 16 }),
      timeoutSeconds: seconds,
      isStrict: fc.boolean(),
      openForSeconds: seconds,
    })
    .map((gate) => ({
      ...gate,
      path: "gates[0]",
      lastPacket: "the last step",
      closes: "30 s after the last step",
      betweenSteps:
        gate.steps.length > 1 ? { timeoutSeconds: gate.timeoutSeconds, isStrict: gate.isStrict } : undefined,
      bits: 0,
      parts: [],
      lines: [],
      steps: gate.steps.map((each, index) => ({
        path: "",
        name: "",
        lines: [],
        meaning: describeStep(gate.name, readStep(each), index + 1, maskSecrets("k")),
      })),
    }));
}

interface Extent {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function extentOf({ anchor, x, y, text, look }: Label): Extent {
  const width = measureText(text, look);
  const left = { start: x, middle: x - width / 2, end: x - width }[anchor];
  return { left, right: left + width, top: y - textSizes[look] * 0.76, bottom: y + textSizes[look] * 0.24 };
}

function doOverlap(one: Extent, other: Extent): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

function isInside(inner: Extent, outer: Extent): boolean {
  return (
    inner.left >= outer.left &&
    inner.right <= outer.right &&
    inner.top >= outer.top &&
    inner.bottom <= outer.bottom
  );
}

/** All errors in where things stand. */
function findFlaws({ width, height, shapes }: Drawing): readonly string[] {
  const labels = shapes.flatMap((shape) =>
    shape.kind === "label" ? [{ ...shape, ...extentOf(shape) }] : [],
  );
  const boxes = shapes.flatMap((shape) => {
    if (shape.kind !== "box") return [];
    return [{ left: shape.x, right: shape.x + shape.width, top: shape.y, bottom: shape.y + shape.height }];
  });
  const lines = shapes.flatMap((shape) => {
    if (shape.kind !== "arrow") return [];
    return shape.points.slice(1).map(([x, y], index): Extent => {
      const [fromX = x, fromY = y] = shape.points[index] ?? [];
      return {
        left: Math.min(x, fromX),
        right: Math.max(x, fromX),
        top: Math.min(y, fromY),
        bottom: Math.max(y, fromY),
      };
    });
  });
  const page = { left: 0, right: width, top: 0, bottom: height };
  return [
    ...labels.filter((label) => !isInside(label, page)).map(({ text }) => `${text}: beyond the page`),
    ...[...boxes, ...lines]
      .filter((extent) => !isInside(extent, page))
      .map(() => "a box or line beyond the page"),
    ...labels.flatMap((label, index) =>
      labels
        .slice(index + 1)
        .filter((other) => doOverlap(label, other))
        .map(({ text }) => `${text}: on ${label.text}`),
    ),
    ...labels.flatMap((label) =>
      boxes
        .filter((box) => doOverlap(label, box) && !isInside(label, box))
        .map(() => `${label.text}: over the edge of a box`),
    ),
    // The ticks of a timeline lie on its line, in their dots.
    ...labels
      .filter(({ look }) => look !== "tick")
      .flatMap((label) =>
        lines.filter((line) => doOverlap(label, line)).map(() => `${label.text}: on a line`),
      ),
    ...boxes.flatMap((box, index) =>
      boxes
        .slice(index + 1)
        .filter((other) => doOverlap(box, other))
        .map(() => "a box on another"),
    ),
  ];
}

describe("a drawing", () => {
  test("has each text in its box, on the page and not over other shapes, whatever the policy", () => {
    fc.assert(
      fc.property(explainedGate(), (gate) => {
        expect(findFlaws(drawStates(gate))).toEqual([]);
        expect(findFlaws(drawTimeline(gate))).toEqual([]);
      }),
      runs(60),
    );
  });

  test.each([
    ["the longest names and times", 16, 86_399],
    ["one step", 1, 86_399],
    ["two steps", 2, 1],
  ])("has so, too, with %s", (_, count, seconds) => {
    const steps = Array.from({ length: count }, (__, index) => ({
      udp: 60_000 - 911 * ((index * 7) % 16),
      udpPayloadBytes: 1_000 + index,
    }));
    const name = "w".repeat(32);
    const knock = { steps, stepTimeoutSeconds: seconds };
    const protect = Array.from({ length: 300 }, (__, index) => ({
      tcp: `${index * 100 + 1}-${index * 100 + 50}`,
    }));
    const [gate] = explain({ name, gates: [{ name, protect, knock, openForSeconds: seconds }] }).gates;
    if (gate === undefined) throw new Error("no gate");
    expect(findFlaws(drawStates(gate))).toEqual([]);
    expect(findFlaws(drawTimeline(gate))).toEqual([]);
    const texts = renderGateSvg(gate, "g").matchAll(/<text class="kg-(\w+)"[^>]*>(.*?)<\/text>/g);
    for (const [, look, text] of texts) {
      const shown = (text ?? "").replace(/&#\d+;/g, "<");
      expect(measureText(shown, look as Label["look"])).toBeLessThanOrEqual(drawingWidth - 48);
    }
  });

  test("has one state for each step and two more, and says each step's words in order", () => {
    fc.assert(
      fc.property(explainedGate(), (gate) => {
        const { shapes } = drawStates(gate);
        expect(shapes.filter(({ kind }) => kind === "box").length).toBe(gate.steps.length + 1);
        const said = shapes.flatMap((shape) =>
          shape.kind === "label" && shape.look === "code" ? [shape.text] : [],
        );
        expect(said.join(" ")).toBe(
          gate.steps.map(({ meaning }, index) => `${index + 1}. ${meaning}`).join(" "),
        );
      }),
      runs(20),
    );
  });
});

describe("an SVG", () => {
  const explanation = explain({
    name: "edge",
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [{ tcp: 41_873 }, { udp: 22_719 }] } }],
  });

  test("is well-formed, has a role, a title and a description, and loads nothing", () => {
    const svg = renderSvg(explanation);
    const open: string[] = [];
    for (const [, close, name, isEmpty] of svg.matchAll(/<(\/?)([a-z]+)(?:\s+[a-z:-]+="[^"<]*")*(\/?)>/gi)) {
      if (close === "/") expect(open.pop()).toBe(name);
      else if (isEmpty !== "/") open.push(name ?? "");
    }
    expect(open).toEqual([]);
    expect(svg).toContain('role="img" aria-labelledby="knockgate-title knockgate-desc"');
    expect(svg).toContain('<title id="knockgate-title">Policy edge: how its gate opens</title>');
    expect(svg).toMatch(
      /<desc id="knockgate-desc">Gate ssh protects TCP 22\. It is closed until .* TCP SYN to port /,
    );
    expect(svg).not.toMatch(/href|url\(|@import|<image|<script|<foreignObject/);
  });

  test("has the colours of one theme when asked for it, else those that the reader prefers", () => {
    const { light, dark } = themes;
    for (const [name, own, other] of [
      ["light", light, dark],
      ["dark", dark, light],
    ] as const) {
      const svg = renderSvg(explanation, name);
      expect(svg).toContain(`{fill:${own.paper}}`);
      for (const colour of Object.values(other)) expect(svg).not.toContain(colour);
      expect(svg).not.toContain("prefers-color-scheme");
    }
    const [before, after] = renderSvg(explanation).split("@media (prefers-color-scheme:dark)");
    expect(before).toContain(light.ink);
    expect(after).toContain(dark.ink);
  });
});

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function contrast(one: string, other: string): number {
  const [high = 0, low = 0] = [one, other].map(luminance).sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test.each(Object.entries(themes))("the %s theme's text and lines are seen by all (WCAG AA)", (_, theme) => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5);
  const { paper, panel, closed, step, open } = theme;
  for (const ground of [paper, panel, closed, step, open]) {
    for (const text of [theme.ink, theme.muted]) expect(contrast(text, ground)).toBeGreaterThanOrEqual(4.5);
  }
  for (const ground of [paper, step]) expect(contrast(theme.link, ground)).toBeGreaterThanOrEqual(4.5);
  for (const ground of [paper, closed, step, open]) {
    expect(contrast(theme.line, ground)).toBeGreaterThanOrEqual(3);
  }
});
