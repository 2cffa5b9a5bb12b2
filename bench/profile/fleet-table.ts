import { renderTable } from "../table";

/** Processor seconds of the floor, and of Knockgate. */
export interface FleetRow {
  readonly name: string;
  readonly floor: number;
  readonly ours: number;
}

/** Renders the processor time of each part and of all together, and the elapsed time, for this many hosts. */
export function renderFleet(rows: readonly FleetRow[], clock: Omit<FleetRow, "name">, hosts: number): string {
  const sum = (of: "floor" | "ours") => rows.reduce((total, row) => total + row[of], 0);
  const all = [
    ...rows,
    { name: "all", floor: sum("floor"), ours: sum("ours") },
    { name: "by the clock", ...clock },
  ];
  return renderTable(
    ["who computes", "floor: no-ops and bare pushes", "Knockgate", "more, for each host"],
    all.map(({ name, floor, ours }) => {
      const more = (1_000 * (ours - floor)) / hosts;
      return [name, floor.toFixed(1), ours.toFixed(1), `${more.toFixed(0)} ms`];
    }),
  );
}
