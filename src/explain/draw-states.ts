import { type Drawing, type DrawnShape, lineHeight, stackLabels, wrapText } from "./drawing.js";
import type { GateExplanation } from "./explanation.js";
import { describeReturn, describeState } from "./states.js";

/** The width that all drawings have. */
export const drawingWidth = 760;

/** States stand below each other in one column. Arrows that lead back run in lanes at its sides. */
const box = { x: 200, width: 208, height: 46 };
const middle = box.x + box.width / 2;
const leftLane = box.x - 24;
const rightLane = drawingWidth - 24;

/** Draws the states of a source at one gate, and what leads from one state to the next. */
export function drawStates(gate: GateExplanation): Drawing {
  const count = gate.steps.length;
  const labels = gate.steps.map((step, index) =>
    wrapText(`${index + 1}. ${step.meaning}`, "code", rightLane - 16 - (middle + 14)),
  );
  const gaps = labels.map((lines) => Math.max(2, lines.length) * lineHeight + 20);
  const tops = [0, ...gaps.map((_, index) => sum(gaps.slice(0, index + 1)) + (index + 1) * box.height)];
  const at = (taken: number) => tops[taken] ?? 0;
  const shapes: DrawnShape[] = tops.flatMap((top, taken) => drawState(top, taken, count));
  for (const [index, lines] of labels.entries()) {
    const [from, to] = [at(index) + box.height, at(index + 1)];
    const arrow = [
      [middle, from],
      [middle, to],
    ] as const;
    const place = { x: middle + 14, y: (from + to) / 2, anchor: "start" } as const;
    shapes.push({ kind: "arrow", points: arrow }, ...stackLabels(lines, "code", place));
  }
  shapes.push(...drawReturns(gate, at));
  return { width: drawingWidth, height: at(count) + box.height, shapes };
}

function drawState(y: number, taken: number, steps: number): readonly DrawnShape[] {
  const look = taken === 0 ? "closed" : taken === steps ? "open" : "step";
  const name = describeState(taken, steps);
  const more = {
    closed: ["new connections dropped"],
    step: ["still closed"],
    open: ["new connections accepted"],
  }[look];
  const centre = { x: middle, anchor: "middle" } as const;
  return [
    { kind: "box", look, ...box, y },
    ...stackLabels([name], "heading", { ...centre, y: y + box.height / 2 - 9 }),
    ...stackLabels(more, "muted", { ...centre, y: y + box.height / 2 + 10 }),
  ];
}

function drawReturns(gate: GateExplanation, at: (taken: number) => number): readonly DrawnShape[] {
  const count = gate.steps.length;
  const half = box.height / 2;
  const open = at(count) + half;
  const shut = [
    [box.x + box.width, open],
    [rightLane, open],
    [rightLane, half],
    [box.x + box.width, half],
  ] as const;
  const closes = wrapText(gate.closes, "muted", rightLane - 16 - (box.x + box.width + 14));
  const above = open - 11 - ((closes.length - 1) * lineHeight) / 2;
  const closing: readonly DrawnShape[] = [
    { kind: "arrow", points: shut },
    ...stackLabels(closes, "muted", { x: box.x + box.width + 14, y: above, anchor: "start" }),
  ];
  if (count === 1) return closing;
  const lowest = at(count - 1) + half;
  const back = [
    [box.x, lowest],
    [leftLane, lowest],
    [leftLane, half],
    [box.x, half],
  ] as const;
  const joining = Array.from({ length: count - 2 }, (_, index): DrawnShape => {
    const y = at(index + 1) + half;
    return {
      kind: "arrow",
      isPlain: true,
      points: [
        [box.x, y],
        [leftLane, y],
      ],
    };
  });
  const words = wrapText(describeReturn(gate), "muted", leftLane - 10 - 24);
  const place = { x: leftLane - 10, y: (lowest + half) / 2, anchor: "end" } as const;
  return [...closing, { kind: "arrow", points: back }, ...joining, ...stackLabels(words, "muted", place)];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
