import type { Facts } from "../facts";
import type { Result, Row } from "../judge";
import { formatNumber, renderTable } from "../table";
import { quantities } from "./scenarios";

/** What docs/attacks.md says of a run. */
export function renderAttacks({ rows, rounds, facts }: Result, machine: Facts): string {
  const where = ["date", "commit", "machine", "system", "kernel", "nft"].map(
    (name) => machine[name] ?? "unknown",
  );
  const subjects = listOf(rows, ({ subject }) => subject);
  const table = (quantity: string, write: (row: Row) => string) => {
    const own = rows.filter((row) => row.quantity === quantity);
    return renderTable(
      ["attack", "packets a second", ...subjects],
      listOf(own, ({ scenario }) => scenario).map((scenario) => [
        scenario,
        writeRates(rows.filter((row) => row.quantity === quantities.rate && row.scenario === scenario)),
        ...subjects.map((subject) => {
          const row = own.find((one) => one.scenario === scenario && one.subject === subject);
          return row === undefined ? "" : write(row);
        }),
      ]),
    );
  };
  return [
    "Knocks that opened at the first try:",
    table(quantities.opened, ({ median }) => `${Math.round((median * rounds) / 100)} of ${rounds}`),
    `Openings by the attack itself, for replays of ${rounds}:`,
    table(quantities.byAttack, ({ median }) => `${median}`),
    `Measured: ${where.join("; ")}. With ${Object.values(facts).join("; ")}.`,
  ].join("\n\n");
}

/** The least and the most that was sent to any subject. */
function writeRates(rows: readonly Row[]): string {
  if (rows.length === 0) return "";
  const rates = rows.map(({ median }) => median);
  const [least, most] = [Math.min(...rates), Math.max(...rates)].map((rate) =>
    formatNumber(Math.round(rate)),
  );
  return least === most ? `${least}` : `${least} to ${most}`;
}

function listOf(rows: readonly Row[], read: (row: Row) => string): readonly string[] {
  return [...new Set(rows.map(read))];
}
