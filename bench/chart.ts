import { escapeXml } from "../src/explain/escape";
import { measureText } from "../src/explain/measure";
import { type ThemeName, themes } from "../src/explain/theme";
import type { Chart, Figure } from "./figure";
import type { Result, Row } from "./judge";
import { isAgain } from "./rounds";
import { formatNumber, formatValue } from "./table";

const width = 760;
const margin = 24;
const barHeight = 18;
const rowHeight = 24;
const headingHeight = 30;
const top = 56;

/** Draws medians as bars, and over each bar a line from the 5th to the 95th percentile. */
export function drawChart(
  figure: Figure,
  { quantity, title, scenarios, isLogarithmic = false }: Chart,
  result: Result,
  theme: ThemeName,
): string {
  const rows = result.rows.filter((row) => {
    return (
      row.quantity === quantity &&
      !isAgain(row.subject) &&
      (scenarios === undefined || scenarios.includes(row.scenario))
    );
  });
  const groups = [...new Set(rows.map(({ scenario }) => scenario))];
  const labelWidth = Math.max(60, ...rows.map(({ subject }) => measureText(subject, "muted")));
  const valueWidth = Math.max(
    60,
    ...rows.map(({ median, unit }) => measureText(formatValue(median, unit), "muted")),
  );
  const left = margin + labelWidth + 10;
  const place = makeScale(rows, isLogarithmic, width - margin - valueWidth - 10 - left);
  let y = top;
  const drawn: string[] = [];
  for (const scenario of groups) {
    if (scenario !== "") {
      drawn.push(text(margin, y + 18, scenario, "heading"));
      y += headingHeight;
    }
    for (const row of rows.filter((each) => each.scenario === scenario)) {
      drawn.push(...drawBar(row, figure.ours.includes(row.subject), y, left, place));
      y += rowHeight;
    }
  }
  const scale = isLogarithmic ? " (logarithmic scale)" : "";
  const heading = `${title}${scale}`;
  const described = rows.map((row) => describe(row)).join("; ");
  const height = y + margin;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title desc">`,
    `<title id="title">${escapeXml(heading)}</title>`,
    `<desc id="desc">${escapeXml(described)}</desc>`,
    `<style>${style(theme)}</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    text(margin, 34, heading, "title"),
    ...drawn,
    "</svg>\n",
  ].join("\n");
}

/** Maps a value to its distance from the bars' left end. */
function makeScale(rows: readonly Row[], isLogarithmic: boolean, space: number): (value: number) => number {
  const most = Math.max(...rows.map(({ median, p95 }) => Math.max(median, p95)));
  if (!isLogarithmic) return (value) => (value / most) * space;
  const least = Math.min(...rows.map(({ median, p5 }) => Math.min(median, p5)));
  const from = Math.floor(Math.log10(least)) - 0.3;
  return (value) => Math.max(0, ((Math.log10(value) - from) / (Math.log10(most) - from)) * space);
}

function drawBar(
  row: Row,
  isOurs: boolean,
  y: number,
  left: number,
  place: (value: number) => number,
): readonly string[] {
  const { subject, median, p5, p95, unit } = row;
  const middle = y + barHeight / 2;
  const end = Math.max(place(median), place(p95));
  return [
    text(left - 10, y + 13, subject, "muted", "end"),
    `<rect class="${isOurs ? "ours" : "other"}" x="${round(left)}" y="${y}" width="${round(Math.max(1, place(median)))}" height="${barHeight}"/>`,
    `<line class="spread" x1="${round(left + place(p5))}" x2="${round(left + place(p95))}" y1="${middle}" y2="${middle}"/>`,
    text(left + end + 8, y + 13, formatValue(median, unit), "muted"),
  ];
}

function describe({ scenario, subject, median, unit, p95 }: Row): string {
  const where = scenario === "" ? "" : `${scenario}, `;
  return `${where}${subject}: ${formatValue(median, unit)}, p95 ${formatNumber(p95)}`;
}

function text(x: number, y: number, words: string, look: string, anchor: "start" | "end" = "start"): string {
  return `<text class="${look}" text-anchor="${anchor}" x="${round(x)}" y="${round(y)}">${escapeXml(words)}</text>`;
}

function style(theme: ThemeName): string {
  const { paper, ink, muted, line, open, step } = themes[theme];
  return [
    'text{font-family:system-ui,"Segoe UI","DejaVu Sans",sans-serif;font-size:12px}',
    `.paper{fill:${paper}}`,
    `.title{fill:${ink};font-size:18px;font-weight:600}`,
    `.heading{fill:${ink};font-size:14px;font-weight:600}`,
    `.muted{fill:${muted}}`,
    `.ours{fill:${open};stroke:${line}}`,
    `.other{fill:${step};stroke:${line}}`,
    `.spread{stroke:${ink};stroke-width:1.5}`,
  ].join("");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
