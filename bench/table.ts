import type { Figure } from "./figure";
import type { Ratio, Result, Row, Verdict } from "./judge";

/** A figure's rows as tables of Markdown, one for each quantity. */
export function renderRows(figure: Figure, { rows, noise }: Result): string {
  const quantities = [...new Set(rows.map(({ quantity }) => quantity))];
  return quantities
    .map((quantity) => {
      const own = rows.filter((row) => row.quantity === quantity);
      const references = figure.references.filter((name) => own.some(({ ratios }) => name in ratios));
      const hasScenarios = own.some(({ scenario }) => scenario !== "");
      const head = [...(hasScenarios ? ["scenario"] : []), "subject", "median", "p95", "p99", "n"];
      const cells = own.map((row) => [
        ...(hasScenarios ? [row.scenario] : []),
        row.subject,
        formatValue(row.median, row.unit),
        ...[row.p95, row.p99].map((value) => (row.count === 1 ? "" : formatValue(value, row.unit))),
        `${row.count}`,
        ...references.map((name) => formatRatio(row.ratios[name], row.subject === name)),
      ]);
      const same = noise[quantity];
      const measured =
        typeof same === "number" && Number.isFinite(same)
          ? `The same thing measured twice in this run differs by a factor of up to ${same.toFixed(3)}.`
          : "";
      const title = `**${capitalize(quantity)}**`;
      const table = renderTable([...head, ...references.map((name) => `of ${name}`)], cells);
      return `${[title, table, measured].filter((part) => part !== "").join("\n\n")}\n`;
    })
    .join("\n");
}

export function renderVerdicts(verdicts: readonly Verdict[]): string {
  const cells = verdicts.map(({ claim, bound, value, noise, isCertain, verdict, why }) => {
    const within = value !== undefined && !isCertain ? ", but by less than the noise" : "";
    // A miss within the noise needs no other reason.
    const reason = why ?? (isCertain ? "why is not known" : undefined);
    const judged =
      verdict === "missed"
        ? `**missed**${within}${reason === undefined ? "" : `: ${reason}`}`
        : `${verdict}${within}`;
    return [claim, bound, value === undefined ? "" : formatNumber(value), noise?.toFixed(3) ?? "", judged];
  });
  return renderTable(["goal", "bound", "measured", "noise (factor)", ""], cells);
}

export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Three significant digits, and no exponent. */
export function formatNumber(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return `${value}`;
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 8)).replace(/\B(?=(\d{3})+(?!\d)(?<!\.\d*))/g, ",");
}

export function formatValue(value: number, unit: Row["unit"]): string {
  return `${formatNumber(value)}${unit === "" ? "" : ` ${unit}`}`;
}

function formatRatio(ratio: Ratio | undefined, isSelf: boolean): string {
  if (ratio === undefined) return isSelf ? "1" : "";
  return ratio.value >= 0.1 && ratio.value < 10 ? ratio.value.toFixed(3) : formatNumber(ratio.value);
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
