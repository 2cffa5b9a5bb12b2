import { unreachable } from "../errors.js";
import { drawingWidth, drawStates } from "./draw-states.js";
import { drawTimeline } from "./draw-timeline.js";
import { type Drawing, type DrawnShape, listWithin, stackLabels } from "./drawing.js";
import { escapeXml } from "./escape.js";
import type { Explanation, GateExplanation } from "./explanation.js";
import { textSizes } from "./measure.js";
import { describeReturn } from "./states.js";
import { type Theme, type ThemeName, themes } from "./theme.js";
import { formatSeconds } from "./words.js";

const margin = 24;

/**
 * Draws an explanation as one SVG that needs no other file. For each gate it has the states and the timeline of the
 * knock.
 *
 * @param theme `auto` (default): as the reader prefers
 */
export function renderSvg(explanation: Explanation, theme: ThemeName | "auto" = "auto"): string {
  const drawing = stackDrawings(explanation.gates.map(drawGate), 40);
  const style = `<style>${styleThemes(theme)}</style>`;
  const paper = `<rect class="paper" width="${drawing.width}" height="${drawing.height}"/>`;
  const title = `Policy ${explanation.policy}: how its ${explanation.gates.length === 1 ? "gate opens" : "gates open"}`;
  const described = explanation.gates.map(describeGate).join(" ");
  return printSvg(drawing, { id: "knockgate", title, described, before: style + paper });
}

/** Draws one gate for a page that has the style of diagrams. `id` must be unique in the page. */
export function renderGateSvg(gate: GateExplanation, id: string): string {
  const title = `Gate ${gate.name}: states and timeline`;
  return printSvg(drawGate(gate), { id, title, described: describeGate(gate), before: "" });
}

/**
 * Writes the style of diagrams. It uses only classes, so a page can have several diagrams. `colour` writes a colour of
 * the theme.
 */
export function styleDiagram(colour: (name: keyof Theme) => string): string {
  const fonts = {
    text: 'system-ui,"Segoe UI","DejaVu Sans",sans-serif',
    code: 'ui-monospace,"DejaVu Sans Mono","Liberation Mono",monospace',
  };
  const sizes = Object.entries(textSizes).map(([look, size]) => `.kg-${look}{font-size:${size}px}`);
  return [
    `.kg{color:${colour("ink")};font-family:${fonts.text}}`,
    ".kg text{fill:currentColor}",
    ".kg .kg-title,.kg .kg-heading{font-weight:600}",
    `.kg .kg-muted{fill:${colour("muted")}}`,
    `.kg .kg-code{font-family:${fonts.code}}`,
    `.kg .paper{fill:${colour("paper")}}`,
    `.kg .kg-line{fill:none;stroke:${colour("line")};stroke-width:1.5}`,
    `.kg .kg-head{fill:${colour("line")}}`,
    ...(["closed", "step", "open"] as const).map(
      (look) => `.kg .kg-${look}{fill:${colour(look)};stroke:${colour("line")};stroke-width:1.5}`,
    ),
    ...sizes,
  ].join("");
}

function styleThemes(theme: ThemeName | "auto"): string {
  const style = (name: ThemeName) => styleDiagram((colour) => themes[name][colour]);
  if (theme !== "auto") return style(theme);
  return `${style("light")}@media (prefers-color-scheme:dark){${style("dark")}}`;
}

function drawGate(gate: GateExplanation): Drawing {
  const width = drawingWidth - 2 * margin;
  const head: Drawing = {
    width: drawingWidth,
    height: 58,
    shapes: [
      ...stackLabels([`Gate ${gate.name}`], "title", { x: margin, y: 24, anchor: "start" }),
      ...stackLabels([listWithin(gate.protects, "muted", width, "protects ")], "muted", {
        x: margin,
        y: 46,
        anchor: "start",
      }),
    ],
  };
  const heading: Drawing = {
    width: drawingWidth,
    height: 0,
    shapes: stackLabels(["The knock in time (not to scale)"], "heading", {
      x: margin,
      y: 26,
      anchor: "start",
    }),
  };
  const drawn = stackDrawings([head, drawStates(gate), heading, drawTimeline(gate)], 16);
  return { ...drawn, height: drawn.height + margin };
}

function stackDrawings(drawings: readonly Drawing[], gap: number): Drawing {
  let height = 0;
  const shapes: DrawnShape[] = [];
  for (const [index, drawing] of drawings.entries()) {
    const top = height + (index === 0 ? 0 : gap);
    shapes.push(...drawing.shapes.map((shape) => moveDown(shape, top)));
    height = top + drawing.height;
  }
  return { width: drawingWidth, height, shapes };
}

function moveDown(shape: DrawnShape, by: number): DrawnShape {
  if (shape.kind !== "arrow") return { ...shape, y: shape.y + by };
  return { ...shape, points: shape.points.map(([x, y]) => [x, y + by] as const) };
}

/** Describes the drawing in words, for readers who can't see it. */
function describeGate(gate: GateExplanation): string {
  const { name, steps, protects, openForSeconds } = gate;
  const back = steps.length === 1 ? "" : ` Until then, what leads back to closed: ${describeReturn(gate)}.`;
  const order = steps.length === 1 ? "" : ", in this order";
  return [
    `Gate ${name} protects ${protects.join(", ")}. It is closed until a source has sent${order}:`,
    `${steps.map((step) => step.meaning).join("; ")}.${back}`,
    `Then it is open to that source for ${formatSeconds(openForSeconds)}; connections made in that time go on.`,
  ].join(" ");
}

interface Frame {
  readonly id: string;
  readonly title: string;
  readonly described: string;
  /** Mark-up before the shapes. */
  readonly before: string;
}

function printSvg({ width, height, shapes }: Drawing, { id, title, described, before }: Frame): string {
  const size = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
  const named = `role="img" aria-labelledby="${id}-title ${id}-desc"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="kg" ${size} ${named}>`,
    `<title id="${id}-title">${escapeXml(title)}</title>`,
    `<desc id="${id}-desc">${escapeXml(described)}</desc>`,
    ...(before === "" ? [] : [before]),
    ...shapes.map(printShape),
    "</svg>\n",
  ].join("\n");
}

function printShape(shape: DrawnShape): string {
  switch (shape.kind) {
    case "box": {
      const { look, x, y, width, height } = shape;
      return `<rect class="kg-${look}" x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/>`;
    }
    case "dot":
      return `<circle class="kg-step" cx="${round(shape.x)}" cy="${shape.y}" r="${shape.radius}"/>`;
    case "label": {
      const { look, anchor, x, y, text } = shape;
      return `<text class="kg-${look}" text-anchor="${anchor}" x="${round(x)}" y="${round(y)}">${escapeXml(text)}</text>`;
    }
    case "arrow": {
      const points = shape.points.map(([x, y]) => `${round(x)},${round(y)}`).join(" ");
      const line = `<polyline class="kg-line" points="${points}"/>`;
      return shape.isPlain === true ? line : `${line}${printHead(shape.points)}`;
    }
    default:
      return unreachable(shape);
  }
}

/** Draws a triangle at the end of an arrow, in the direction of its last part. */
function printHead(points: readonly (readonly [number, number])[]): string {
  const [end, before] = [points.at(-1) ?? [0, 0], points.at(-2) ?? [0, 0]];
  const [alongX, alongY] = [Math.sign(end[0] - before[0]), Math.sign(end[1] - before[1])];
  const corner = (side: number) => [
    round(end[0] - 9 * alongX - side * 5 * alongY),
    round(end[1] - 9 * alongY + side * 5 * alongX),
  ];
  return `<polygon class="kg-head" points="${[end.map(round), corner(1), corner(-1)].join(" ")}"/>`;
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}
