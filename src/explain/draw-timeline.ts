import { drawingWidth } from "./draw-states.js";
import { type Box, type Drawing, type DrawnShape, stackLabels } from "./drawing.js";
import type { GateExplanation } from "./explanation.js";
import { formatSeconds } from "./words.js";

/** Where lanes begin and end, where the knock begins and ends, and where the door closes. Not to scale. */
const left = 132;
const firstStep = 146;
const lastStep = 420;
const shutAgain = 610;
const right = drawingWidth - 24;
const laneHeight = 28;
const lanes = { knock: 54, door: 90, connection: 126 };

/** Draws a knock in time: its steps, how long the door is open, and a connection that goes on. */
export function drawTimeline(gate: GateExplanation): Drawing {
  const count = gate.steps.length;
  const apart = count === 1 ? 0 : (lastStep - firstStep) / (count - 1);
  const dots = gate.steps.map((_, index) => (count === 1 ? lastStep : firstStep + index * apart));
  const names = { knock: "knock", door: "door", connection: "connection" };
  const open = `open for ${formatSeconds(gate.openForSeconds)}`;
  const made = lastStep + 36;
  return {
    width: drawingWidth,
    height: lanes.connection + laneHeight,
    shapes: [
      ...Object.entries(names).flatMap(([lane, name]) =>
        stackLabels([name], "muted", {
          x: left - 16,
          y: lanes[lane as keyof typeof lanes] + laneHeight / 2,
          anchor: "end",
        }),
      ),
      ...drawKnock(gate, dots),
      ...drawBar("closed", left, lastStep, lanes.door, "closed"),
      ...drawBar("open", lastStep, shutAgain, lanes.door, open),
      ...drawBar("closed", shutAgain, right, lanes.door, "closed"),
      ...drawBar("open", made, right, lanes.connection, "made while open, goes on"),
    ],
  };
}

function drawKnock(gate: GateExplanation, dots: readonly number[]): readonly DrawnShape[] {
  const y = lanes.knock + laneHeight / 2;
  const [first = lastStep] = dots;
  const pause =
    dots.length === 1
      ? `one ${gate.lastPacket.split(" ").at(-1)}`
      : `at most ${formatSeconds(gate.betweenSteps?.timeoutSeconds ?? 0)} from each step to the next`;
  return [
    ...(dots.length === 1
      ? []
      : [
          {
            kind: "arrow",
            isPlain: true,
            points: [
              [first, y],
              [lastStep, y],
            ],
          } as const,
        ]),
    ...dots.flatMap((x, index): readonly DrawnShape[] => [
      { kind: "dot", x, y, radius: 8.5 },
      ...stackLabels([`${index + 1}`], "tick", { x, y, anchor: "middle" }),
    ]),
    ...stackLabels([pause], "muted", { x: (first + lastStep) / 2, y: lanes.knock - 4, anchor: "middle" }),
  ];
}

function drawBar(
  look: Box["look"],
  from: number,
  to: number,
  y: number,
  text: string,
): readonly DrawnShape[] {
  return [
    { kind: "box", look, x: from, y, width: to - from, height: laneHeight },
    ...stackLabels([text], "muted", { x: (from + to) / 2, y: y + laneHeight / 2, anchor: "middle" }),
  ];
}
